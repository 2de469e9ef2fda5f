namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>A topic that sensors name by an id they were made with.</summary>
/// <param name="Id">From 1 to 65534.</param>
public sealed record PredefinedTopic(ushort Id, string Name);
