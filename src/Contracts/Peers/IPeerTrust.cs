using System.Security.Cryptography.X509Certificates;

namespace EdgeFirmware.Contracts.Peers;

/// <summary>What a node shows others in a handshake, and what it makes of what they show. Called by any thread.</summary>
public interface IPeerTrust
{
    /// <summary>With its key. Another object after a renewal.</summary>
    X509Certificate2 Own { get; }

    /// <summary>Whether a machine without a certificate may open an <see cref="ConversationKind.Enrolment"/> now.</summary>
    bool AdmitsStrangers { get; }

    /// <param name="certificate">DER, as the peer showed it.</param>
    PeerStanding Judge(byte[] certificate);
}

/// <param name="Node">Whose certificate it is; <c>default</c> where certificates say nothing of it (lab profile) or it is no good.</param>
/// <param name="Why">Why it may not do everything.</param>
public readonly record struct PeerStanding(PeerAdmission Admission, NodeId Node, string Why);

public enum PeerAdmission
{
    Refused,

    /// <summary>Its certificate has expired: it may only be told of the site and renew it.</summary>
    Renewal,
    Everything,
}
