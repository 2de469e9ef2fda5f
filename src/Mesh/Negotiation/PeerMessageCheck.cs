using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What no honest node would send: lists and texts beyond their bounds, resources that no machine has. Pure. What a message is *about*
/// (a lease, an epoch, an owner) is judged where it is handled.</summary>
internal static class PeerMessageCheck
{
    /// <summary>Reasons are made of a few names and numbers; the longest lists why none of a site's nodes would do.</summary>
    private const int TextLengthMax = 16 << 10;

    private const double CoresMax = 4096;
    private const long BytesMax = 1L << 50;

    /// <returns>Words for the operator; empty when nothing is wrong.</returns>
    public static string Fault(PeerMessage message) => message switch
    {
        Ask ask => ask.Hops is < 0 or > Ask.HopsMax ? $"an ask over {ask.Hops} hops" : Text(ask.Why, ask.ImageArchitecture),
        Grant grant => OfferFault(grant.Offer),
        CounterOffer counter => Text(counter.Why) is { Length: > 0 } fault ? fault : OfferFault(counter.Offer),
        Referral referral => referral.Node.Value.Length == 0 || !IPEndPoint.TryParse(referral.Address, out var address) || address.Port == 0
            ? "a referral to nowhere"
            : OfferFault(referral.Offer),
        Refuse refuse => Text(refuse.Why),
        Activate activate => RecordFault(activate.Record),
        Activated activated => RecordFault(activated.Record),
        ActivationFailed failed => Text(failed.Why),
        Records records => records.Known.Count > Records.CountMax ? $"{records.Known.Count} records at once" : "",
        Request request => Text(request.Why),
        Reply reply => Text(reply.Fault) is { Length: > 0 } fault ? fault : reply.Record is { } record ? RecordFault(record) : "",
        _ => "",
    };

    private static string RecordFault(WorkloadRecord record) => Text(record.Why);

    private static string Text(string text, string other = "") =>
        text.Length > TextLengthMax || other.Length > Offer.NameLengthMax ? $"a text of {Math.Max(text.Length, other.Length)} characters" : "";

    private static string OfferFault(Offer offer) =>
        !Enum.IsDefined(offer.Level) ? $"level {(int)offer.Level}"
        : !IsShare(offer.CpuFreeCores, offer.CpuCores, CoresMax) ? $"{offer.CpuFreeCores} of {offer.CpuCores} cores free"
        : !IsShare(offer.MemoryFreeBytes, offer.MemoryBytes, BytesMax) ? $"{offer.MemoryFreeBytes} of {offer.MemoryBytes} bytes of memory free"
        : offer.DiskFreeBytes is < 0 or > BytesMax ? $"{offer.DiskFreeBytes} bytes of disk free"
        : offer.Labels is { Count: > Offer.LabelsMax } ? $"{offer.Labels.Count} labels"
        : !(offer.Outlook.Failure is >= 0 and <= 1) ? $"a likelihood of {offer.Outlook.Failure}"
        : Text(offer.Why, offer.Architecture);

    private static bool IsShare(double free, double whole, double most) => free >= 0 && free <= whole && whole <= most;
}
