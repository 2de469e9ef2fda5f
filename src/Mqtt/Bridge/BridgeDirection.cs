namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>Which way messages go over a bridge, seen from its own broker.</summary>
[Flags]
public enum BridgeDirection
{
    In = 1,
    Out = 2,
    Both = In | Out,
}
