namespace EdgeFirmware.Platform.Network.Links;

/// <summary>Numbers of NETLINK_ROUTE, under the kernel's names.</summary>
internal static class RouteNumbers
{
    // include/uapi/linux/netlink.h
    public const ushort NLMSG_ERROR = 2, NLMSG_DONE = 3, NLMSG_OVERRUN = 4;
    public const ushort NLM_F_REQUEST = 1, NLM_F_DUMP_INTR = 0x10, NLM_F_DUMP = 0x300;

    // include/uapi/linux/rtnetlink.h
    public const ushort RTM_NEWLINK = 16, RTM_GETLINK = 18, RTM_NEWADDR = 20, RTM_GETADDR = 22, RTM_NEWROUTE = 24, RTM_GETROUTE = 26, RTM_NEWNEIGH = 28, RTM_GETNEIGH = 30;
    public const uint RTMGRP_LINK = 1, RTMGRP_IPV4_IFADDR = 0x10, RTMGRP_IPV4_ROUTE = 0x40, RTMGRP_IPV6_IFADDR = 0x100, RTMGRP_IPV6_ROUTE = 0x400;
    public const ushort RTA_OIF = 4, RTA_GATEWAY = 5, RTA_PRIORITY = 6, RTA_MULTIPATH = 9, RTA_TABLE = 15, RTA_VIA = 18;
    public const byte RTN_UNICAST = 1, RTNH_F_DEAD = 1;
    public const uint RT_TABLE_MAIN = 254, RTM_F_CLONED = 0x200;
    public const byte RT_SCOPE_SITE = 200, RT_SCOPE_LINK = 253, RT_SCOPE_HOST = 254;

    // include/uapi/linux/if_link.h
    public const ushort IFLA_IFNAME = 3, IFLA_MASTER = 10, IFLA_LINKINFO = 18, IFLA_INFO_KIND = 1;

    // include/uapi/linux/if.h
    public const uint IFF_UP = 1, IFF_RUNNING = 0x40, IFF_LOWER_UP = 0x10000;
    public const int IFNAMSIZ = 16;

    // include/uapi/linux/if_addr.h
    public const ushort IFA_ADDRESS = 1, IFA_LOCAL = 2, IFA_FLAGS = 8;
    public const uint IFA_F_DADFAILED = 0x08, IFA_F_TENTATIVE = 0x40;

    // include/uapi/linux/neighbour.h
    public const ushort NDA_DST = 1;
    public const ushort NUD_REACHABLE = 0x02, NUD_STALE = 0x04, NUD_DELAY = 0x08, NUD_PROBE = 0x10, NUD_NOARP = 0x40, NUD_PERMANENT = 0x80;

    // include/uapi/linux/if_arp.h
    public const ushort ARPHRD_ETHER = 1, ARPHRD_PPP = 512, ARPHRD_RAWIP = 519, ARPHRD_LOOPBACK = 772, ARPHRD_IEEE80211 = 801,
        ARPHRD_IEEE80211_RADIOTAP = 803, ARPHRD_IEEE802154 = 804, ARPHRD_IEEE802154_MONITOR = 805, ARPHRD_6LOWPAN = 825;

    // include/linux/socket.h
    public const byte AF_UNSPEC = 0, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16;
}
