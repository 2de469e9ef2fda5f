namespace EdgeFirmware.Overlay.Sealing;

/// <param name="Answer">To be sent to where the datagram came from; empty for nothing.</param>
/// <param name="Session">The caller's from now on; <c>null</c> unless established.</param>
/// <param name="Why">For a person, when discarded or refused.</param>
internal sealed record HandshakeStep(HandshakeOutcome Outcome, ReadOnlyMemory<byte> Answer, SealedSession? Session, string Why)
{
    public static HandshakeStep Established(SealedSession session, ReadOnlyMemory<byte> answer) => new(HandshakeOutcome.Established, answer, session, "");

    public static HandshakeStep Repeated(ReadOnlyMemory<byte> answer) => new(HandshakeOutcome.Repeated, answer, null, "");

    public static HandshakeStep Discarded(string why) => new(HandshakeOutcome.Discarded, default, null, why);

    public static HandshakeStep Refused(string why) => new(HandshakeOutcome.Refused, default, null, why);
}
