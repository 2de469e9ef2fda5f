namespace EdgeFirmware.Overlay.Tests.Sessions;

/// <summary>Single packets lost where it hurts most.</summary>
public sealed class LossTests
{
    private readonly Way _wan = Way.Wan();

    [Fact]
    public void What_was_dealt_with_late_is_known_to_its_sender_though_it_was_lost_that_it_was_said()
    {
        var pair = new Pair(1, _wan);
        pair.Right.IsBusy = true;
        pair.Run(1);
        Assert.True(pair.Left.Send(1, 7));
        pair.Run(1);
        _wan.LossLeft = 1;
        pair.Right.IsBusy = false;
        pair.Run(0.1); // said, and lost
        _wan.LossLeft = 0;
        pair.Run(5);
        Assert.Equal([7L], pair.Left.Delivered);
        Assert.True(pair.Left.Session.IsIdle);
    }
}
