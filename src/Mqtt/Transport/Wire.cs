using System.Net.Sockets;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>The bytes of one network connection. One receive and one send may be under way at once.</summary>
internal abstract class Wire : IDisposable
{
    public abstract TransportKind Kind { get; }

    /// <summary>Subject of the certificate that the peer has proven to own; null when it was asked for none or showed none.</summary>
    public virtual string? CertificateName => null;

    /// <summary>What an exception from here means: the connection is gone. Anything else is a bug.</summary>
    public static bool IsGone(Exception failure) => failure is SocketException or IOException or ObjectDisposedException;

    /// <summary>What has to be agreed on before the first byte of MQTT.</summary>
    public virtual Task OpenAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>0: the peer has closed its side. Into no memory at all: completes when there is something to receive.</summary>
    public abstract ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancellation = default);

    /// <summary>Sends what is taken without waiting, which may be nothing, and says how much that was.</summary>
    public abstract int SendNow(ReadOnlySpan<byte> bytes);

    /// <summary>Waits until something is taken and says how much that was.</summary>
    public abstract ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Lets other connections have the thread.</summary>
    public virtual async ValueTask YieldAsync() => await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    /// <summary>Tells the peer that no more will come from here, and for <see cref="SocketShutdown.Both"/> reads no more.</summary>
    public abstract ValueTask ShutdownAsync(SocketShutdown how);

    public abstract void Dispose();
}
