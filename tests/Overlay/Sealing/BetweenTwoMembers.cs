namespace EdgeFirmware.Overlay.Tests.Sealing;

/// <summary>A site with two members, anew for each test.</summary>
public abstract class BetweenTwoMembers : IDisposable
{
    private protected BetweenTwoMembers() => (One, Two) = (Site.Join(1), Site.Join(2));

    private protected SmallSite Site { get; } = new();

    private protected SmallSite.Member One { get; }

    private protected SmallSite.Member Two { get; }

    public void Dispose()
    {
        Site.Dispose();
        GC.SuppressFinalize(this);
    }
}
