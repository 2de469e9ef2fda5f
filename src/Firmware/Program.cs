using EdgeFirmware.Firmware.Cli;

using var input = Console.OpenStandardInput();
using var output = Console.OpenStandardOutput();
return await CommandLine.RunAsync(args, input, output, Console.Error);
