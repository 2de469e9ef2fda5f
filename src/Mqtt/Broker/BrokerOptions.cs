using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Durability;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Everything a broker is given when it is made. Not to be changed afterwards.</summary>
public sealed class BrokerOptions
{
    public BrokerLimits Limits { get; set; } = new();

    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    public ILogger Logger { get; set; } = NullLogger.Instance;

    public IBrokerAccess Access { get; set; } = AnonymousAccess.Instance;

    public IBrokerTap? Tap { get; set; }

    /// <value>Where sessions and retained messages are kept across restarts; null: nowhere.</value>
    public DurabilityOptions? Durability { get; set; }

    /// <value>Topics whose retained messages the host tells anew after each start: they are not written to disk. Called under the broker's lock.</value>
    public Func<string, bool> IsToldAnew { get; set; } = static _ => false;

    /// <value>How a listening TCP socket gets its address; the host may allow one that is not up yet.</value>
    public Action<Socket, EndPoint> Bind { get; set; } = static (socket, address) => socket.Bind(address);

    /// <value>
    /// Told to version 5 clients that ask where to have answers sent (MQTT 5 section 3.2.2.3.15), with "%c" replaced by the client id;
    /// by convention the beginning of a topic. Null: nothing.
    /// </value>
    public string? ResponseInformation { get; set; }

    /// <value>
    /// What bridges call this broker, on messages and to each other; must differ between brokers and stay the same. Needed to make bridges, and
    /// good to have where others bridge to this one. Null: none.
    /// </value>
    public string? Identity { get; set; }

    /// <value>Seed of assigned client ids, to replay a run; null: a different one each time.</value>
    public int? RandomSeed { get; set; }

    /// <value>What <c>$SYS/broker/version</c> says.</value>
    public string Version { get; set; } = "edge-mqtt";

    /// <value>How often <c>$SYS</c> topics are published while somebody subscribes to them.</value>
    public TimeSpan SysTopicsInterval { get; set; } = TimeSpan.FromSeconds(10);
}
