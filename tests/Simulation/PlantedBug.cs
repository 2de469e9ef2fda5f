namespace EdgeFirmware.Simulation;

/// <summary>What can be made wrong on purpose, to see that the invariants notice.</summary>
public enum PlantedBug
{
    None,

    /// <summary>A start starts a copy on the next node, too.</summary>
    StartsTwice,

    /// <summary>Every container is started at the epoch at which the workload was deployed.</summary>
    ClonesEpochs,

    /// <summary>Nothing reaches the disk; it says that it does.</summary>
    ForgetsSaves,

    /// <summary>A copy runs on when it is quiesced or discarded.</summary>
    NeverStops,

    /// <summary>A node that restarts is believed to be the same run, and its disk shows the first it ever held.</summary>
    GoesBack,

    /// <summary>Every message is sent a hundred times.</summary>
    Floods,

    /// <summary>Volumes do not arrive, and whoever sends them believes it.</summary>
    LosesVolumes,

    /// <summary>Nothing that comes in is heard any more.</summary>
    GoesDeaf,
}
