namespace EdgeFirmware.Overlay.Sessions;

/// <param name="Token">What its sender knows it by.</param>
internal sealed record OutgoingMessage(ReadOnlyMemory<byte> Body, long Token);
