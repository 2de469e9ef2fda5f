using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Broker;

/// <content>What can be asked about clients and done to them.</content>
public sealed partial class MqttBroker
{
    /// <summary>Ends a client's connection; its session stays. False: it is not connected.</summary>
    /// <param name="reasonText">Said to a version 5 client besides the reason; null for nothing.</param>
    public bool Disconnect(string clientId, ReasonCode reason = ReasonCode.AdministrativeAction, string? reasonText = null) =>
        Disconnect(clientId, reason, new PacketProperties { ReasonString = reasonText });

    /// <summary>Sends a client to another server (MQTT 5 section 4.11); one of 3.1.1 is disconnected. False: it is not connected.</summary>
    /// <param name="serverReference">Hosts, each with a port where it is not the usual one, separated by spaces.</param>
    /// <param name="forGood">The client should no longer try this broker.</param>
    public bool Redirect(string clientId, string serverReference, bool forGood = false) => Disconnect(
        clientId,
        forGood ? ReasonCode.ServerMoved : ReasonCode.UseAnotherServer,
        new PacketProperties { ServerReference = serverReference });

    private bool Disconnect(string clientId, ReasonCode reason, PacketProperties explanation)
    {
        using var turn = Core.Enter();
        if (!Core.Sessions.TryGetValue(clientId, out var session) || session.Link is not { } link) return false;
        link.Output.Abort(reason, explanation);
        return true;
    }

    /// <summary>Ends a client's connection and its session, with what waits in it. False: there is no such session.</summary>
    /// <param name="reasonText">Said to a version 5 client besides the reason; null for nothing.</param>
    public bool EndSession(string clientId, ReasonCode reason = ReasonCode.AdministrativeAction, string? reasonText = null)
    {
        if (BridgeSession.Owns(clientId)) return false;
        using var turn = Core.Enter();
        if (!Core.Sessions.TryGetValue(clientId, out var session)) return false;
        if (session.Link is { } link)
        {
            session.Expiry = TimeSpan.Zero;
            link.Output.Abort(reason, new PacketProperties { ReasonString = reasonText });
        }
        else
        {
            Core.End(session, turn);
        }

        return true;
    }

    /// <summary>
    /// Makes changed access rules hold: asks <see cref="IBrokerAccess.Review"/> about every session. Who lost the right to connect is disconnected with
    /// 0x87; subscriptions and wills that are not allowed any more are removed, with what waits because of them. All others go on as they were.
    /// </summary>
    public ReviewSummary Review()
    {
        var summary = new ReviewSummary();
        string[] clientIds;
        using (Core.Enter()) clientIds = [.. Core.Sessions.Keys];
        foreach (var some in clientIds.Chunk(ReviewedPerTurn))
        {
            using var turn = Core.Enter();
            foreach (var clientId in some)
            {
                if (Core.Sessions.TryGetValue(clientId, out var session)) AccessReview.Apply(session, this, turn, summary);
            }
        }

        return summary;
    }

    /// <summary>One session; null when there is none.</summary>
    public ClientDetails? Inspect(string clientId)
    {
        using var turn = Core.Enter();
        return Core.Sessions.TryGetValue(clientId, out var session) ? ClientDetails.Of(session, turn.Now) : null;
    }

    /// <summary>All sessions, connected or not.</summary>
    public IReadOnlyList<ClientSnapshot> Clients
    {
        get
        {
            using var turn = Core.Enter();
            return [.. Core.Sessions.Values.Select(session => ClientSnapshot.Of(session, turn.Now))];
        }
    }
}
