using EdgeFirmware.Lab.Streams;
using EdgeFirmware.Samples.Convolution;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>The books themselves: tables, no lab.</summary>
public sealed class StreamLedgerTests
{
    [Theory]
    [InlineData("1 2 3", "1 2 3", 0, 0, 0)]
    [InlineData("1 2 3", "1 3", 1, 0, 0)]
    [InlineData("1 2 3", "", 3, 0, 0)]
    [InlineData("1 2 3", "1 2 2 3", 0, 1, 0)]
    [InlineData("1 2 3", "1 3 2", 0, 0, 1)]
    // A second result for an old message is a repetition, not a wrong order.
    [InlineData("1 2 3", "1 2 3 1", 0, 1, 0)]
    // What was never acknowledged may be missing, and may be there.
    [InlineData("1 3", "1 3", 0, 0, 0)]
    [InlineData("1 3", "1 2 3", 0, 0, 0)]
    public void Lost_repeated_and_displaced_results_are_counted(string acknowledged, string results, int lost, int duplicated, int outOfOrder)
    {
        var ledger = LedgerOf(acknowledged, results);
        var account = ledger.Close();
        Assert.Equal((lost, duplicated, outOfOrder), (account.Lost, account.Duplicated, account.OutOfOrder));
        Assert.Equal(lost == 0, ledger.IsEven());
    }

    [Fact]
    public void A_step_is_charged_with_its_own_messages_only()
    {
        var ledger = LedgerOf("1 2 3 4 5", "1 4 4 5");
        Assert.Equal((2, 0), (ledger.Close(1, 4).Lost, ledger.Close(1, 4).Duplicated));
        Assert.Equal((0, 1), (ledger.Close(4, 6).Lost, ledger.Close(4, 6).Duplicated));
    }

    [Fact]
    public void A_wrong_result_and_the_longest_gap_are_seen()
    {
        var ledger = new StreamLedger();
        foreach (var (number, at, off) in new[] { (1, 0.0, 0u), (2, 0.05, 1u), (3, 0.45, 0u), (4, 0.5, 0u) })
        {
            ledger.Acknowledged(ledger.Sent());
            ledger.Result(new Result(number, WindowedConvolution.ExpectedChecksum(number) + off, "host", number, TimeSpan.FromSeconds(at)));
        }
        var account = ledger.Close();
        Assert.Equal(1, account.Wrong);
        Assert.Equal(400, account.LongestGap.TotalMilliseconds, 1);
    }

    [Fact]
    public void The_text_of_a_matrix_is_read_back_as_it_was_and_nothing_else_is_taken_for_one()
    {
        Span<int> read = stackalloc int[SensorMatrix.Elements];
        Span<int> expected = stackalloc int[SensorMatrix.Elements];
        SensorMatrix.Fill(1234567, expected);
        var text = SensorMatrix.Text(1234567);
        Assert.True(SensorMatrix.TryParse(System.Text.Encoding.ASCII.GetBytes(text), out var number, read));
        Assert.Equal(1234567, number);
        Assert.True(read.SequenceEqual(expected));
        foreach (var bad in new[] { "", "7", "7;", text[..^2], text + ",1", "x" + text, text.Replace(";", ";a", StringComparison.Ordinal) })
            Assert.False(SensorMatrix.TryParse(System.Text.Encoding.ASCII.GetBytes(bad), out _, read), bad.Length.ToString());
    }

    private static StreamLedger LedgerOf(string acknowledged, string results)
    {
        var ledger = new StreamLedger();
        for (var sent = 0; sent < 5; sent++)
            ledger.Sent();
        foreach (var number in Numbers(acknowledged))
            ledger.Acknowledged(number);
        foreach (var number in Numbers(results))
            ledger.Result(new Result(number, WindowedConvolution.ExpectedChecksum(number), "host", number, TimeSpan.Zero));
        return ledger;
    }

    private static IEnumerable<long> Numbers(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse);
}
