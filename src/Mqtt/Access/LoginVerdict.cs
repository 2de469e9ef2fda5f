namespace EdgeFirmware.Mqtt.Access;

/// <summary>What <see cref="LoginThrottle"/> says to an attempt.</summary>
public readonly record struct LoginVerdict
{
    public static readonly LoginVerdict GoOn = new() { MayGoOn = true };
    public static readonly LoginVerdict Refuse;

    public bool MayGoOn { get; private init; }

    /// <summary>When to ask again; null: go on or refuse.</summary>
    public TimeSpan? Wait { get; private init; }

    public static LoginVerdict WaitFor(TimeSpan time) => new() { Wait = time };
}
