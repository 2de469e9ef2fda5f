using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Custody;

public sealed class CustodyFramesTests
{
    public static TheoryData<SensorMessage> Messages =>
    [
        Samples.Message("plain"),
        new("a/b", default, 0, true),
        new("Grüße/☃", new byte[300_000], 2, false, "text/plain", "answers/here", new byte[] { 1, 2, 3 }, [new("k", "v"), new("k", ""), new("", "✓")]),
        new("many", new byte[1], 1, false, UserProperties: Enumerable.Range(0, 5_000).Select(i => KeyValuePair.Create($"k{i}", "v")).ToList()),
    ];

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_comes_out_as_it_went_in(SensorMessage message) =>
        AssertSame(message, new CustodyReader(new CustodyWriter().Begin().Message(message).Written.Span).Message());

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_is_never_larger_on_the_wire_than_it_is_reckoned(SensorMessage message) =>
        Assert.InRange(new CustodyWriter().Begin().Message(message).Written.Length, 1, message.SizeBytes);

    [Fact]
    public void An_answer_with_results_comes_out_as_it_went_in()
    {
        var results = Enumerable.Range(0, 1000).Select(i => Samples.Message($"r{i}")).ToList();
        var reader = new CustodyReader(new CustodyWriter().Begin().Int64(long.MaxValue).Messages(results).Written.Span);
        Assert.Equal(long.MaxValue, reader.Int64());
        Assert.Equal(results.Select(Samples.Text), reader.Messages().Select(Samples.Text));
    }

    [Theory]
    [InlineData("FFFFFFFE")] // a negative length other than "none"
    [InlineData("7FFFFFFF")]
    [InlineData("00000005 6161")]
    [InlineData("00000002 C328")] // not UTF-8
    [InlineData("")]
    public void A_faulty_text_is_refused(string hex) =>
        Assert.Throws<PeerException>(() => new CustodyReader(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))).Text());

    [Theory]
    [InlineData("a/+", 0)]
    [InlineData("#", 0)]
    [InlineData("a\0b", 0)]
    [InlineData("", 0)]
    [InlineData("a", 3)]
    public void What_is_no_message_is_refused(string topic, byte qos)
    {
        var written = new CustodyWriter().Begin().Message(new SensorMessage(topic, default, qos, false)).Written;
        Assert.Throws<PeerException>(() => new CustodyReader(written.Span).Message());
    }

    [Fact]
    public void A_text_longer_than_MQTT_allows_is_refused()
    {
        var written = new CustodyWriter().Begin().Message(new SensorMessage(new string('t', 70_000), default, 0, false)).Written;
        Assert.Throws<PeerException>(() => new CustodyReader(written.Span).Message());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1025)]
    [InlineData(int.MaxValue)]
    public void A_count_of_results_that_cannot_be_is_refused(int count)
    {
        byte[] body = [(byte)(count >> 24), (byte)(count >> 16), (byte)(count >> 8), (byte)count];
        Assert.Throws<PeerException>(() => new CustodyReader(body).Messages());
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var whole = Answer();
        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<PeerException>(() => ReadAnswer(whole.AsSpan(0, length)));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Whatever_is_changed_nothing_but_a_peer_fault_comes_out(int seed)
    {
        var random = new Random(seed);
        var whole = Answer();
        for (var run = 0; run < 50_000; run++)
        {
            var changed = whole.ToArray();
            for (var i = random.Next(1, 6); i > 0; i--)
                changed[random.Next(changed.Length)] = (byte)(random.Next(4) switch { 0 => 0, 1 => 0xFF, 2 => 0x7F, _ => random.Next(256) });
            try
            {
                ReadAnswer(changed.AsSpan(0, random.Next(4) == 0 ? random.Next(changed.Length) : changed.Length));
            }
            catch (PeerException)
            {
                // the one way out
            }
        }
    }

    private static byte[] Answer() => new CustodyWriter().Begin().Int64(7).Messages(
        [new SensorMessage("out/1", new byte[40], 1, true, "text/plain", "r", new byte[4], [new("name", "value")]), Samples.Message("second")]).Written.ToArray();

    private static void ReadAnswer(ReadOnlySpan<byte> body)
    {
        var reader = new CustodyReader(body);
        reader.Int64();
        reader.Messages();
    }

    private static void AssertSame(SensorMessage expected, SensorMessage actual)
    {
        Assert.Equal(expected with { Payload = default, CorrelationData = default, UserProperties = null }, actual with { Payload = default, CorrelationData = default, UserProperties = null });
        Assert.Equal(expected.Payload.ToArray(), actual.Payload.ToArray());
        Assert.Equal(expected.CorrelationData.ToArray(), actual.CorrelationData.ToArray());
        Assert.Equal(expected.UserProperties ?? [], actual.UserProperties ?? []);
    }
}
