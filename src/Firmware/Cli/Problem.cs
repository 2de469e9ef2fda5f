using System.Text.Json;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Firmware.Cli.Messages;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Control;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Turns what can go wrong into a line on standard error and an exit code; with <c>--json</c> into problem details.</summary>
internal static class Problem
{
    public static async Task<int> GuardAsync(bool isJson, TextWriter output, TextWriter error, Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (ConfigurationException failure)
        {
            return Explain(400, failure.Message, ExitCode.Usage);
        }
        catch (OperationRefusedException failure)
        {
            return Explain(failure.Status, failure.Message, failure.Status == 400 ? ExitCode.Usage : ExitCode.Refused);
        }
        catch (JsonException failure)
        {
            var why = $"the node's answer is not understood: {failure.Message}; if it runs another version than this one, restart it";
            return Explain(502, why, ExitCode.Refused);
        }
        catch (Exception failure) when (failure is NodeUnreachableException or BrokerUnreachableException)
        {
            return Explain(503, failure.Message, ExitCode.NoNode);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Mqtt.Client.MqttException or StorageException or PeerException)
        {
            return Explain(500, failure.Message, ExitCode.Refused);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Done; // ended by the user
        }

        int Explain(int status, string why, int exitCode)
        {
            if (isJson)
                output.WriteLine(JsonText.Of(new OperationRefusedException(status, why).ToProblem()));
            foreach (var line in why.Split(Environment.NewLine))
                error.WriteLine($"edge-firmware: {line}");
            return exitCode;
        }
    }
}
