using System.Net;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Overlay.Tests.Links;

public sealed class OnLinkTests
{
    [Theory]
    [InlineData("10.1.2.3", 24, "10.1.2.200", true)]
    [InlineData("10.1.2.3", 24, "10.1.3.3", false)]
    [InlineData("10.1.2.3", 22, "10.1.3.3", true)]
    [InlineData("10.1.2.3", 32, "10.1.2.3", true)]
    [InlineData("10.1.2.3", 0, "203.0.113.1", true)]
    [InlineData("10.1.2.3", 33, "10.1.2.3", false)]
    [InlineData("fd00::1", 64, "fd00::2:3:4:5", true)]
    [InlineData("fd00::1", 64, "fd01::1", false)]
    [InlineData("fd00::1", 64, "10.1.2.3", false)]
    public void An_address_is_on_the_link_when_its_prefix_is_the_links(string own, int bits, string other, bool isOnLink) =>
        Assert.Equal(isOnLink, OnLink.Covers(new LinkAddress(IPAddress.Parse(own), bits, AddressScope.Global), IPAddress.Parse(other)));
}
