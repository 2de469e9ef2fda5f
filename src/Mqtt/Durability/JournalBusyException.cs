namespace EdgeFirmware.Mqtt.Durability;

/// <summary>Another broker or client uses the directory, or its lock cannot be made: nothing in it may be touched.</summary>
internal sealed class JournalBusyException(string message) : IOException(message);
