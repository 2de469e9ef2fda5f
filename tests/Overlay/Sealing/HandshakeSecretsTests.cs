using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Tests.Sealing;

public sealed class HandshakeSecretsTests : IDisposable
{
    private readonly EphemeralKey _one = new();
    private readonly EphemeralKey _two = new();
    private readonly byte[] _first;
    private readonly byte[] _header;

    public HandshakeSecretsTests()
    {
        _first = HandshakeLayout.MakeFirst(1, _one.Point);
        _header = HandshakeLayout.MakeSecondHeader(1, 2, _two.Point);
    }

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public void Every_byte_said_in_the_open_goes_into_the_keys()
    {
        using var twos = HandshakeSecrets.Agree(_two, _one.Point, _first, _header)!;
        var second = twos.Seal(HandshakeRole.Responder, _header, [1, 2, 3]);
        Assert.Equal([1, 2, 3], Opened(_first, _header, second));
        for (var i = 0; i < _first.Length; i++)
            Assert.Null(Opened(Changed(_first, i), _header, second));
        for (var i = 0; i < _header.Length; i++)
            Assert.Null(Opened(_first, Changed(_header, i), second));
    }

    [Fact]
    public void What_one_side_sealed_does_not_open_as_the_others()
    {
        using var secrets = HandshakeSecrets.Agree(_two, _one.Point, _first, _header)!;
        var second = secrets.Seal(HandshakeRole.Responder, _header, [1, 2, 3]);
        Assert.Null(secrets.Open(HandshakeRole.Initiator, second, _header.Length));
    }

    [Theory]
    [InlineData(7, nameof(PacketOutcome.Genuine))]
    [InlineData(8, nameof(PacketOutcome.Forged))]
    public void Sides_that_saw_other_identities_share_no_session(byte seen, string outcome)
    {
        using var ones = HandshakeSecrets.Agree(_one, _two.Point, _first, _header)!;
        using var twos = HandshakeSecrets.Agree(_two, _one.Point, _first, _header)!;
        ones.Absorb([7]);
        twos.Absorb([seen]);
        using var sender = ones.Session(HandshakeRole.Initiator);
        using var receiver = twos.Session(HandshakeRole.Responder);
        var packet = new byte[PacketSeal.Overhead + 1];
        sender.Seal(16, 2, [1], packet);
        Assert.Equal(outcome, receiver.Open(packet, new byte[1], out _).ToString());
    }

    private static byte[] Changed(byte[] bytes, int at)
    {
        var copy = (byte[])bytes.Clone();
        copy[at] ^= 1;
        return copy;
    }

    private byte[]? Opened(byte[] first, byte[] header, byte[] second)
    {
        using var ones = HandshakeSecrets.Agree(_one, _two.Point, first, header)!;
        return ones.Open(HandshakeRole.Responder, second, _header.Length);
    }
}
