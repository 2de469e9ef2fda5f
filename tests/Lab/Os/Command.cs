using System.Diagnostics;

namespace EdgeFirmware.Lab.Os;

/// <param name="Output">Standard output, without the newline at its end.</param>
public sealed record CommandOutcome(int ExitCode, string Output, string Error);

/// <summary>Runs a program of the operating system to its end.</summary>
public static class Command
{
    /// <returns>Its output. </returns>
    /// <exception cref="InvalidOperationException">The program's exit code is not 0; the message holds what it said.</exception>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var outcome = await TryAsync(program, arguments);
        return outcome.ExitCode == 0
            ? outcome.Output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)}: exit code {outcome.ExitCode}\n{outcome.Output}\n{outcome.Error}");
    }

    /// <summary>A line as one would type it, for programs whose arguments hold no spaces.</summary>
    public static Task<string> LineAsync(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return RunAsync(words[0], words[1..]);
    }

    public static async Task<CommandOutcome> TryAsync(string program, IEnumerable<string> arguments, CancellationToken cancel = default)
    {
        using var process = new Process { StartInfo = Start(program, arguments) };
        process.StartInfo.RedirectStandardInput = true;
        process.Start();
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var error = process.StandardError.ReadToEndAsync(cancel);
        try
        {
            await process.WaitForExitAsync(cancel);
            return new CommandOutcome(process.ExitCode, (await output).TrimEnd('\n'), (await error).TrimEnd('\n'));
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    internal static ProcessStartInfo Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }
}
