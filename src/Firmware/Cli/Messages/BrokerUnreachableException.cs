namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>Nobody answers where the flags point, or what answers is no broker.</summary>
internal sealed class BrokerUnreachableException(string message, Exception cause) : Exception(message, cause);
