namespace EdgeFirmware.Contracts.Links;

/// <summary>What a link is made of, as far as it matters for choosing one.</summary>
public enum LinkKind : byte
{
    /// <summary>Tunnels, bridges, pairs of containers, Bluetooth, serial lines.</summary>
    Other,
    Ethernet,
    Wifi,
    Cellular,

    /// <summary>IPv6 over IEEE 802.15.4 (RFC 4944): 250 kbit/s, MTU 1280.</summary>
    SixLowpan,
}

/// <summary>How far a link leads. A greater value contains the smaller ones.</summary>
public enum Reachability : byte
{
    /// <summary>No carrier, no address, or nobody answers.</summary>
    None,

    /// <summary>To neighbours on the link or to its gateway, and no further.</summary>
    Site,
    Internet,
}

/// <summary>How far an address is valid (RTA_SCOPE of include/uapi/linux/rtnetlink.h, RFC 4007 for IPv6).</summary>
public enum AddressScope : byte
{
    Link,
    Site,
    Global,
}
