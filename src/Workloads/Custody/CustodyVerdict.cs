namespace EdgeFirmware.Workloads.Custody;

/// <summary>What the broker is to do with a message that was published.</summary>
public enum CustodyVerdict
{
    /// <summary>Route it to its subscribers.</summary>
    Route,

    /// <summary>Nothing: it is dealt with.</summary>
    Taken,

    /// <summary>Refuse it: a workload's input, and there is no room on the disk for it.</summary>
    Refused,
}
