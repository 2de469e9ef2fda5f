using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Firmware.Users;

/// <summary>Quotas by the names they have in <c>users.json</c>, in the API and on the command line.</summary>
internal static class QuotaNames
{
    public const string All =
        "connectionsMax, subscriptionsMax, inFlightMax, queuedMessagesMax, queuedBytesMax, messagesPerSecond, packetBytesMax, retainedMessagesMax, retainedBytesMax, "
        + "and of workloads in the site: workloads, cpuCores, memoryBytes";

    /// <param name="value">Null takes the bound away.</param>
    /// <exception cref="OperationRefusedException">There is no such quota, or it cannot be that much.</exception>
    public static Quotas With(Quotas quotas, string name, double? value)
    {
        if (value is not (null or (> 0 and <= 1e15)))
            throw new OperationRefusedException(400, $"{name}: a positive number is needed");
        return name switch
        {
            "connectionsMax" => quotas with { ConnectionsMax = Count(name, value) },
            "subscriptionsMax" => quotas with { SubscriptionsMax = Count(name, value) },
            "inFlightMax" => quotas with { InFlightMax = Count(name, value) },
            "queuedMessagesMax" => quotas with { QueuedMessagesMax = Count(name, value) },
            "queuedBytesMax" => quotas with { QueuedBytesMax = (long?)value },
            "messagesPerSecond" => quotas with { MessagesPerSecond = value },
            "packetBytesMax" => quotas with { PacketBytesMax = Count(name, value) },
            "retainedMessagesMax" => quotas with { RetainedMessagesMax = Count(name, value) },
            "retainedBytesMax" => quotas with { RetainedBytesMax = (long?)value },
            _ => throw new OperationRefusedException(400, $"'{name}' is no quota; there are {All}"),
        };
    }

    public static bool IsOfWorkloads(string name) => name is "workloads" or "cpuCores" or "memoryBytes";

    /// <inheritdoc cref="With(Quotas, string, double?)"/>
    public static WorkloadQuotas With(WorkloadQuotas quotas, string name, double? value)
    {
        if (value is not (null or (> 0 and <= 1e15)))
            throw new OperationRefusedException(400, $"{name}: a positive number is needed");
        return name switch
        {
            "workloads" => quotas with { Workloads = Count(name, value) },
            "cpuCores" => quotas with { CpuCores = value },
            _ => quotas with { MemoryBytes = (long?)value },
        };
    }

    private static int? Count(string name, double? value) => value switch
    {
        null => null,
        >= 1 and <= int.MaxValue => (int)value.Value,
        _ => throw new OperationRefusedException(400, $"{name}: a whole number up to {int.MaxValue} is needed"),
    };
}
