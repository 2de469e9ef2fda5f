using System.CommandLine;
using System.Text.Json;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Shows what the node foresees of itself.</summary>
internal static class ForecastCommand
{
    public static Command Create()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("forecast", "Show what the node foresees: when CPU, memory or disk run out, and whether the machine may fail."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("forecast"), (answer, output) =>
            Print(answer.Deserialize(FirmwareJson.Default.NodeForecastView)!, output), cancel));
        return command;
    }

    private static void Print(NodeForecastView forecast, TextWriter output)
    {
        output.WriteLine($"overload   {(forecast.OverloadForeseen ? $"foreseen: {forecast.OverloadWhy}" : "none foreseen")}");
        output.WriteLine($"failure    {forecast.FailureScore * 100:0} %{(forecast.FailureWhy.Length > 0 ? $": {forecast.FailureWhy}" : "")}");
        var table = new TextTable("RESOURCE", "NOW", "LIMIT", "AN HOUR", "IN 1 MIN", "IN 5 MIN", "IN 30 MIN", "IN 2 H", "EXHAUSTED IN", "BY");
        foreach (var resource in forecast.Resources)
            table.Add(
                resource.Name, Percent(resource.Used), Percent(resource.Limit), $"{resource.PerHour * 100:+0.0;-0.0;0.0} %", At(resource, 0), At(resource, 1),
                At(resource, 2), At(resource, 3), Left(resource), resource.Confidence);
        table.Write(output);
    }

    private static string At(ResourceForecastView resource, int index) => index < resource.Ahead.Length
        ? $"{Percent(resource.Ahead[index].Used)} ({resource.Ahead[index].Low * 100:0}-{resource.Ahead[index].High * 100:0})"
        : "-";

    private static string Left(ResourceForecastView resource) => resource.ExhaustionSeconds is { } seconds
        ? $"{Words(seconds)}{(resource.EarliestExhaustionSeconds is { } earliest && earliest < seconds ? $" (at the earliest {Words(earliest)})" : "")}"
        : "-";

    private static string Words(double seconds) => seconds < 120 ? $"{seconds:0} s" : seconds < 7200 ? $"{seconds / 60:0} min" : seconds < 172_800 ? $"{seconds / 3600:0.0} h" : $"{seconds / 86400:0} days";

    private static string Percent(double share) => $"{share * 100:0} %";
}
