using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>A broker of which a test writes every packet.</summary>
internal sealed class StandIn : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<RawClient> _accepted = [];

    public StandIn()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>What the last client said first.</summary>
    public ConnectPacket Connect { get; private set; } = null!;

    /// <summary>Accepts the next client.</summary>
    public Task<RawClient> AcceptAsync(bool sessionPresent, ushort? receiveMaximum = null, uint? packetBytesMax = null) => AcceptAsync(new ConnAckPacket
    {
        SessionPresent = sessionPresent,
        Properties = new PacketProperties { ReceiveMaximum = receiveMaximum, MaximumPacketBytes = packetBytesMax },
    });

    public async Task<RawClient> AcceptAsync(ConnAckPacket answer, ProtocolVersion version = ProtocolVersion.V5)
    {
        var raw = new RawClient(await Within.Reason(_listener.AcceptAsync()), version);
        _accepted.Add(raw);
        Connect = await raw.ReceiveAsync<ConnectPacket>();
        await raw.SendAsync(answer);
        return raw;
    }

    public void Dispose()
    {
        foreach (var raw in _accepted) raw.Dispose();
        _listener.Dispose();
    }
}
