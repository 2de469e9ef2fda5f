namespace EdgeFirmware.Mqtt.Access;

/// <summary>What a client may do with a topic.</summary>
[Flags]
public enum TopicRights
{
    None = 0,

    /// <summary>Subscribe, and so receive.</summary>
    Read = 1,

    /// <summary>Publish, also as a will.</summary>
    Write = 2,

    /// <summary>Publish with the retain flag; it needs <see cref="Write"/> as well.</summary>
    Retain = 4,

    All = Read | Write | Retain,
}
