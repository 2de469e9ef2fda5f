using System.Net;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Firmware.Tests.Running;

/// <summary>What links do is tested with real ones by tests/shell/links.sh.</summary>
public sealed class LinksOfANodeTests
{
    [Fact]
    public async Task Links_are_shown_by_command_and_API_alike()
    {
        await using var node = await NodeUnderTest.StartAsync(api: IPAddress.Loopback, change: configuration => configuration with
        {
            Links = new LinksOptions { Names = ["none0"], Targets = [new IPEndPoint(IPAddress.Parse("203.0.113.1"), 443)] },
        });
        var (code, output, _) = await node.CommandAsync("links", "--json");
        Assert.Equal(0, code);
        var shown = JsonNode.Parse(output)!;
        Assert.Equal(["203.0.113.1:443"], shown["targets"]!.AsArray().Select(target => target!.GetValue<string>()));
        Assert.Empty(shown["links"]!.AsArray());
        Assert.Null(shown["trouble"]);

        using var http = new HttpClient { BaseAddress = node.Api };
        Assert.True(JsonNode.DeepEquals(shown, JsonNode.Parse(await http.GetStringAsync("/api/v1/links"))));
        var (_, table, _) = await node.CommandAsync("links");
        Assert.Equal("NAME  KIND  CARRIER  REACH  RTT  LOSS  COST  ADDRESSES  GATEWAY  WHY\n", table);
    }
}
