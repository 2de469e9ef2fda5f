namespace EdgeFirmware.Overlay.Sealing;

/// <summary>Goes into what is signed and into each key, so that nothing of one side passes for the other's.</summary>
internal enum HandshakeRole : byte
{
    Initiator = 1,
    Responder = 2,
}
