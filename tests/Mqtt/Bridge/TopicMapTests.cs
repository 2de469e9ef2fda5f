using EdgeFirmware.Mqtt.Bridge;

namespace EdgeFirmware.Mqtt.Tests.Bridge;

public sealed class TopicMapTests
{
    [Theory]
    [InlineData("a/b", "#", "", "", "a/b")]
    [InlineData("a/b", "#", "a/", "", "b")]
    [InlineData("a/b", "#", "", "site/7/", "site/7/a/b")]
    [InlineData("a/b/c", "b/+", "a/", "x/", "x/b/c")]
    [InlineData("here", "", "here", "there", "there")]
    [InlineData("b", "#", "a/", "x/", null)]
    [InlineData("$SYS/x", "#", "", "", null)]
    public void A_topic_goes_out_under_the_prefix_of_the_other_side_and_comes_back_under_ours(string topic, string filter, string local, string remote, string? expected)
    {
        var map = new TopicMap([new BridgeTopic(filter, BridgeDirection.Both, QoS.AtLeastOnce, local, remote)]);
        Assert.Equal(expected, map.ToRemote(topic));
        if (expected is not null) Assert.Equal(topic, map.ToLocal(expected));
    }

    [Fact]
    public void The_first_rule_that_covers_a_topic_counts_and_a_direction_is_a_direction()
    {
        var map = new TopicMap(
        [
            new BridgeTopic("a/urgent/#", BridgeDirection.Out, Priority: 9),
            new BridgeTopic("a/#", BridgeDirection.Out, RemotePrefix: "x/"),
            new BridgeTopic("b/#", BridgeDirection.In, Priority: 3),
            new BridgeTopic("c/#", BridgeDirection.Out, Priority: -1),
        ]);
        Assert.Equal(("a/urgent/1", "x/a/other", null), (map.ToRemote("a/urgent/1"), map.ToRemote("a/other"), map.ToRemote("b/1")));
        Assert.Equal(("b/1", null), (map.ToLocal("b/1"), map.ToLocal("a/1")));
        Assert.Equal((3, 0, 1, 2), (map.Lanes, map.LaneOf("a/urgent/1"), map.LaneOf("a/1"), map.LaneOf("c/1")));
    }

    [Theory]
    [InlineData("#", "a+/", "", false)]
    [InlineData("a#", "", "", false)]
    [InlineData("", "", "", false)]
    [InlineData("", "x", "y", true)]
    [InlineData("+/#", "x/", "y/", true)]
    public void A_rule_says_what_is_wrong_with_it(string filter, string local, string remote, bool isRight) =>
        Assert.Equal(isRight, new BridgeTopic(filter, LocalPrefix: local, RemotePrefix: remote).Fault is null);

    [Fact]
    public void A_mark_is_put_on_once_and_found_again()
    {
        var message = BridgeMark.Add(BridgeMark.Add(BridgeMark.Add(Messages.Message("t"), "a"), "b"), "a");
        Assert.Equal(["a", "b"], message.UserProperties.Select(property => property.Value));
        Assert.True(BridgeMark.IsOn(message, "b") && !BridgeMark.IsOn(message, "c") && !BridgeMark.IsExhausted(message));
    }
}
