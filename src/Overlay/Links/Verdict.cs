using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Links;

/// <summary>How far a link leads, and why that is believed.</summary>
/// <param name="IsProven">By an answer.</param>
internal sealed record Verdict(Reachability Reach, string Why, bool IsProven)
{
    public static readonly Verdict SwitchedOff = new(Reachability.None, "switched off", true);
    public static readonly Verdict NoCarrier = new(Reachability.None, "no carrier", true);
    public static readonly Verdict NoAddress = new(Reachability.None, "no address", true);

    /// <summary>Of a link that has a carrier and an address.</summary>
    public static Verdict Of(Question internet, Question gateway, bool hasDefaultRoute, bool othersHeard) => (internet.HasTargets, gateway.HasTargets) switch
    {
        (true, _) when internet.Proof.Holds == true => new Verdict(Reachability.Internet, $"{internet.Witness} answers", true),
        (true, true) => Without(internet, gateway, othersHeard),
        (true, false) => internet.Proof.Holds is null
            ? new Verdict(Reachability.Site, $"{internet.Witness} has not answered yet", false)
            : new Verdict(Reachability.Site, $"Internet dead: {internet.Witness} does not answer, and there is no gateway to ask", false),
        (false, true) => ByGateway(internet, gateway, othersHeard),
        _ when hasDefaultRoute => new Verdict(Reachability.Internet, "a default route without a gateway, and no Links.Targets to ask", false),
        _ => new Verdict(Reachability.Site, "no default gateway: nobody to ask", false),
    };

    /// <summary>No target is known to answer.</summary>
    private static Verdict Without(Question internet, Question gateway, bool othersHeard) => (gateway.Proof.Holds, internet.Proof.Holds) switch
    {
        (true, null) => new Verdict(Reachability.Site, $"{Heard(gateway, othersHeard)}, {internet.Witness} not yet", true),
        (true, _) => new Verdict(Reachability.Site, $"Internet dead: {Heard(gateway, othersHeard)}, {internet.Witness} does not", true),
        (false, _) => new Verdict(Reachability.None, $"gateway {gateway.Witness.Address} silent", true),
        _ => new Verdict(Reachability.None, $"gateway {gateway.Witness.Address} has not answered yet", false),
    };

    private static Verdict ByGateway(Question internet, Question gateway, bool othersHeard) => (gateway.Proof.Holds, internet.Proof.Holds) switch
    {
        (true, true) => new Verdict(Reachability.Internet, $"gateway {gateway.Witness.Address} answers; whether it leads on is not known without Links.Targets", false),
        (true, _) => new Verdict(Reachability.Site, othersHeard
            ? $"Internet dead: gateway {gateway.Witness.Address} silent, others are there"
            : $"Internet dead: gateway {gateway.Witness.Address} takes no packets any more", true),
        (false, _) => new Verdict(Reachability.None, $"gateway {gateway.Witness.Address} silent", true),
        _ => new Verdict(Reachability.None, $"gateway {gateway.Witness.Address} has not answered yet", false),
    };

    private static string Heard(Question gateway, bool othersHeard) =>
        othersHeard ? $"gateway {gateway.Witness.Address} silent, others are there" : $"gateway {gateway.Witness.Address} answers";
}
