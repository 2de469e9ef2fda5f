using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Tests.Transport;

/// <summary>A broker behind the smallest of web servers.</summary>
internal sealed class WebSocketBroker : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    public WebSocketBroker(Action<BrokerOptions>? configure = null)
    {
        var options = new BrokerOptions();
        configure?.Invoke(options);
        Broker = new MqttBroker(options);
        _listener.Start();
        _serving = ServeAsync();
    }

    public MqttBroker Broker { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async Task<ClientWebSocket> OpenAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await Within.Reason(socket.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/mqtt"), CancellationToken.None));
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await Within.Reason(_serving);
        await Within.Reason(Broker.StopAsync());
        await Broker.Completion;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var request = new StringBuilder();
            for (var one = new byte[1]; !request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one) > 0;)
                request.Append((char)one[0]);
            var key = request.ToString().Split("\r\n").Single(line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.Ordinal))[19..];
#pragma warning disable CA5350 // RFC 6455
            var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + $"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"));
            using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, SubProtocol = "mqtt" });
            await Broker.ServeAsync(socket, client.Client.RemoteEndPoint!.ToString()!);
        }
    }
}
