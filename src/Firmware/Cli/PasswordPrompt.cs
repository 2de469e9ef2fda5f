using System.Text;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Takes a password from standard input, or asks a person twice without showing it. Never from the arguments, which all users of a machine see.</summary>
internal static class PasswordPrompt
{
    private const int CharsMax = 1024;

    /// <param name="input">Standard input.</param>
    /// <exception cref="OperationRefusedException">None was given, or the two differ.</exception>
    public static async Task<string> ReadAsync(Stream input, TextWriter prompt, CancellationToken cancel)
    {
        if (input.CanSeek || Console.IsInputRedirected)
        {
            using var reader = new StreamReader(input, leaveOpen: true);
            return await reader.ReadLineAsync(cancel) is { Length: > 0 } line
                ? line
                : throw new OperationRefusedException(400, "a password is needed on standard input; or let one be made with --generate");
        }
        var first = Ask("password: ", prompt);
        return first == Ask("again:    ", prompt) ? first : throw new OperationRefusedException(400, "the two are not the same");
    }

    private static string Ask(string question, TextWriter prompt)
    {
        prompt.Write(question);
        prompt.Flush();
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
            if (key.Key == ConsoleKey.Backspace)
                text.Length = Math.Max(0, text.Length - 1);
            else if (!char.IsControl(key.KeyChar) && text.Length < CharsMax)
                text.Append(key.KeyChar);
        prompt.WriteLine();
        return text.ToString();
    }
}
