using System.Net;

namespace EdgeFirmware.Contracts.Links;

/// <summary>Takes a datagram that came; must not wait.</summary>
/// <param name="link">Index of the link it came over; 0 where only the kernel knows.</param>
/// <param name="from">Kept and given again for the same sender: not to be changed. IPv4 as such, a link-local address of IPv6 with its scope.</param>
/// <param name="datagram">At most <see cref="ILinkDatagrams.DatagramBytesMax"/> bytes, valid until the handler returns.</param>
public delegate void LinkDatagramHandler(int link, IPEndPoint from, ReadOnlySpan<byte> datagram);
