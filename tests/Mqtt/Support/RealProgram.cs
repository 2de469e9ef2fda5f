using System.Diagnostics;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>Somebody else's program, run to its end.</summary>
internal static class RealProgram
{
    public static Process Start(string program, params string[] arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
    })!;

    public static async Task<(int Code, string Output, string Error)> EndAsync(Process process)
    {
        using (process)
        {
            try
            {
                process.StandardInput.Close();
                var error = process.StandardError.ReadToEndAsync();
                var output = await Within.Reason(process.StandardOutput.ReadToEndAsync());
                await Within.Reason(process.WaitForExitAsync());
                return (process.ExitCode, output, await error);
            }
            finally
            {
                if (!process.HasExited) process.Kill();
            }
        }
    }

    public static Task<(int Code, string Output, string Error)> RunAsync(string program, params string[] arguments) => EndAsync(Start(program, arguments));
}
