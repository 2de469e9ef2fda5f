using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What a user asks of this node but only another can do, and what users of other nodes ask of this one. A request is repeated
/// until it is answered and done once, however often it comes.</summary>
public sealed partial class NegotiationCore
{
    /// <summary>Requests open at once, each way.</summary>
    private const int RequestsMax = 256;

    private readonly Dictionary<Guid, Forwarded> _forwarded = [];
    private readonly Dictionary<Guid, Served> _served = [];

    private sealed class Forwarded(Request request, NodeId owner, Instant until)
    {
        public Request Request { get; } = request;

        public NodeId Owner { get; } = owner;

        public Instant Until { get; } = until;

        public Instant NextSend { get; set; }

        /// <summary>Ever longer: where answers do not get through, each repetition costs another long one.</summary>
        public TimeSpan Pause { get; set; }
    }

    private sealed class Served(NodeId asker)
    {
        public NodeId Asker { get; } = asker;

        /// <summary>Set when it has ended; kept for a while in case it is lost on the way.</summary>
        public Reply? Reply { get; set; }

        public Instant Until { get; set; } = Instant.Never;
    }

    private void Forward(Request request, NodeId owner, Instant now)
    {
        if (_served.ContainsKey(request.Operation))
            End(request.Operation, _register.Find(request.Workload), null, $"{request.Workload} is with {owner.Name} now: ask there");
        else if (_forwarded.Count >= RequestsMax)
            End(request.Operation, null, null, $"{RequestsMax} requests to other nodes are open already");
        else
        {
            _forwarded.Add(request.Operation, new Forwarded(request, owner, now + _timing.RequestTimeout)
            {
                NextSend = now + _timing.RequestRepeat, Pause = _timing.RequestRepeat,
            });
            Send(owner, request);
        }
    }

    private void HandleRequest(Request request, NodeId from, Instant now)
    {
        if (_served.TryGetValue(request.Operation, out var repeated))
        {
            if (repeated.Asker == from && repeated.Reply is { } ended)
                Send(from, ended);
            return;
        }
        if (_served.Count >= RequestsMax || request.Operation == Guid.Empty || !Enum.IsDefined(request.Verb))
        {
            Send(from, new Reply(request.Operation, null, null, "it has too many requests open: try again"));
            return;
        }
        _served.Add(request.Operation, new Served(from));
        switch (request.Verb)
        {
            case RequestVerb.Move:
                Move(request.Operation, request.Workload, request.To, request.Why, now);
                break;
            case RequestVerb.Remove:
                Remove(request.Operation, request.Workload, request.Why, now);
                break;
            default:
                Explain(request.Operation, request.Workload, now);
                break;
        }
    }

    private void HandleReply(Reply reply, NodeId from, Instant now)
    {
        if (!_forwarded.TryGetValue(reply.Operation, out var forwarded) || forwarded.Owner != from)
            return;
        _forwarded.Remove(reply.Operation);
        var record = reply.Record is { } told && IsSound(told) && told.Id == forwarded.Request.Workload ? told : null;
        if (record is not null)
            Merge(record, from, now);
        var explanation = reply.Explanation is { } explained && explained.IsSound() ? explained : null;
        var isWhole = record is not null && forwarded.Request.Verb switch
        {
            RequestVerb.Move => reply.Figures is not null,
            RequestVerb.Explain => explanation is not null,
            _ => true,
        };
        if (explanation is { Last: null })
            explanation = explanation with { Last = _decisions.Find(reply.Record!.Id, now) }; // it has restarted, but the decision was made here
        End(reply.Operation, record, reply.Figures,
            reply.Fault.Length > 0 ? $"{from.Name}: {reply.Fault}" : isWhole ? "" : $"{from.Name} gave an answer that cannot be", explanation);
    }

    private void AdvanceRequests(Instant now)
    {
        foreach (var (operation, forwarded) in _forwarded.ToList())
        {
            var (request, owner) = (forwarded.Request, forwarded.Owner.Name);
            var fault = IsGone(forwarded.Owner) ? $"{owner}, which has {request.Workload}, is gone: try again when it is restored"
                : forwarded.Until <= now ? $"no answer from {owner}, which has {request.Workload}: it may still be at it"
                : "";
            if (fault.Length > 0)
            {
                _forwarded.Remove(operation);
                End(operation, _register.Find(request.Workload), null, fault);
            }
            else if (forwarded.NextSend <= now)
            {
                forwarded.Pause = Clamp(forwarded.Pause * 2, _timing.RequestRepeat, _timing.RequestRepeat * 8);
                forwarded.NextSend = now + forwarded.Pause;
                Send(forwarded.Owner, request);
            }
        }
        foreach (var (operation, served) in _served)
            if (served.Reply is null)
                continue;
            else if (served.Until == Instant.Never)
                served.Until = now + _timing.RequestTimeout;
            else if (served.Until <= now)
                _served.Remove(operation);
    }
}
