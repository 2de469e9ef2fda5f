using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Platform.Images;

namespace EdgeFirmware.Platform.Tests.Images;

public sealed class ImageCarrierTests
{
    [Theory]
    [InlineData("sha256:short")]
    [InlineData("../containers")]
    [InlineData("")]
    public async Task An_announcement_that_no_engine_would_make_never_reaches_the_engine(string id)
    {
        var carrier = new ImageCarrier(new UselessEngine());
        var announced = new ImageDescription(id, ["box:1"], "amd64", 1, [$"sha256:{new string('a', 64)}"]);
        foreach (var call in (Func<Task>[])[
            () => carrier.FindAsync(announced, default),
            () => carrier.ReceiveAsync(announced, Stream.Null, default),
            () => carrier.NameAsync(announced, default)])
            Assert.Equal(EngineFailure.Rejected, (await Assert.ThrowsAsync<EngineException>(call)).Failure);
    }
}
