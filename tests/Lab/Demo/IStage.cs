namespace EdgeFirmware.Lab.Demo;

/// <summary>Where a scenario says what it does: the terminal in the demo, the test's output in a test.</summary>
public interface IStage
{
    /// <summary>A new part begins.</summary>
    void Step(string title);

    void Say(string line);
}
