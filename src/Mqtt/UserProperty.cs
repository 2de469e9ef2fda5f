namespace EdgeFirmware.Mqtt;

/// <summary>An application's name and value pair. Names may repeat and their order is preserved (MQTT 5 section 3.3.2.3.7).</summary>
public readonly record struct UserProperty(string Name, string Value);
