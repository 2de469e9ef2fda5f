namespace EdgeFirmware.Mqtt;

/// <summary>Questions one asks of a reason code, and its translation to and from the return codes of MQTT 3.1.1.</summary>
public static class ReasonCodes
{
    public static bool IsFailure(this ReasonCode reason) => (int)reason >= 0x80;

    /// <summary>
    /// The CONNACK return code of MQTT 3.1.1 table 3.1 for a version 5 reason; null where none applies, so that the connection is closed
    /// without a CONNACK [MQTT-3.2.2-6].
    /// </summary>
    internal static byte? ToConnectReturnCode(ReasonCode reason) => reason switch
    {
        ReasonCode.Success => 0,
        ReasonCode.UnsupportedProtocolVersion => 1,
        ReasonCode.ClientIdentifierNotValid => 2,
        ReasonCode.BadUserNameOrPassword or ReasonCode.BadAuthenticationMethod => 4,
        ReasonCode.NotAuthorized or ReasonCode.Banned => 5,
        ReasonCode.UnspecifiedError or ReasonCode.ImplementationSpecificError or ReasonCode.ServerUnavailable or ReasonCode.ServerBusy
            or ReasonCode.ServerShuttingDown or ReasonCode.QuotaExceeded or ReasonCode.ConnectionRateExceeded
            or ReasonCode.UseAnotherServer or ReasonCode.ServerMoved => 3,
        _ => null,
    };

    /// <summary>The inverse; null for return codes the 3.1.1 table reserves.</summary>
    internal static ReasonCode? FromConnectReturnCode(byte code) => code switch
    {
        0 => ReasonCode.Success,
        1 => ReasonCode.UnsupportedProtocolVersion,
        2 => ReasonCode.ClientIdentifierNotValid,
        3 => ReasonCode.ServerUnavailable,
        4 => ReasonCode.BadUserNameOrPassword,
        5 => ReasonCode.NotAuthorized,
        _ => null,
    };
}
