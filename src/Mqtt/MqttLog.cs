using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt;

/// <summary>Every log message of the library.</summary>
internal static partial class MqttLog
{
    [LoggerMessage(1, LogLevel.Information, "listening on {Endpoint}")]
    public static partial void Listening(ILogger logger, string endpoint);

    [LoggerMessage(2, LogLevel.Debug, "connection from {Remote} ended: {Cause}")]
    public static partial void ConnectionBroke(ILogger logger, string remote, string cause);

    [LoggerMessage(3, LogLevel.Information, "refused connect from {Remote}: {Reason}")]
    public static partial void ConnectRefused(ILogger logger, string remote, ReasonCode reason);

    [LoggerMessage(4, LogLevel.Debug, "client {ClientId} connected from {Remote}, session present: {SessionPresent}")]
    public static partial void Connected(ILogger logger, string clientId, string remote, bool sessionPresent);

    [LoggerMessage(5, LogLevel.Debug, "client {ClientId} disconnected: {Reason}")]
    public static partial void Disconnected(ILogger logger, string clientId, ReasonCode reason);

    [LoggerMessage(6, LogLevel.Information, "client {ClientId} sent a bad packet: {Reason}")]
    public static partial void MalformedPacket(ILogger logger, string clientId, ReasonCode reason);

    [LoggerMessage(7, LogLevel.Debug, "refused publish of {ClientId} to {Topic}: {Reason}")]
    public static partial void PublishRefused(ILogger logger, string clientId, string topic, ReasonCode reason);

    [LoggerMessage(8, LogLevel.Warning, "closed a new connection because {Count} are open, which is the limit")]
    public static partial void TooManyConnections(ILogger logger, int count);

    [LoggerMessage(9, LogLevel.Warning, "cannot accept on {Endpoint} for now: {Cause}")]
    public static partial void AcceptFailed(ILogger logger, string endpoint, string cause);

    [LoggerMessage(10, LogLevel.Critical, "a bug ended the broker")]
    public static partial void Bug(ILogger logger, Exception bug);

    [LoggerMessage(20, LogLevel.Information, "took up {Sessions} sessions with {Deliveries} deliveries and {Retained} retained messages from {Directory} in {Milliseconds} ms")]
    public static partial void JournalRestored(ILogger logger, int sessions, int deliveries, int retained, string directory, long milliseconds);

    [LoggerMessage(27, LogLevel.Error, "{Path} may not be on disk as it was read: {Cause}; it is written anew before anything else is promised")]
    public static partial void JournalDoubtful(ILogger logger, string path, string cause);

    [LoggerMessage(21, LogLevel.Warning, "{Path}: cut {CutBytes} bytes behind the first {WholeBytes}: a batch that was being written when the broker ended")]
    public static partial void JournalCut(ILogger logger, string path, long wholeBytes, long cutBytes);

    [LoggerMessage(22, LogLevel.Error, "{Path}: {Frames} damaged parts were left out; what they said of sessions and retained messages is lost")]
    public static partial void JournalDamaged(ILogger logger, string path, int frames);

    [LoggerMessage(23, LogLevel.Error, "nothing more is accepted that has to be kept: {Cause}")]
    public static partial void JournalRefused(ILogger logger, string cause);

    [LoggerMessage(24, LogLevel.Information, "there is room on the disk again: publishers are accepted")]
    public static partial void JournalHasRoom(ILogger logger);

    [LoggerMessage(25, LogLevel.Error, "{Directory} cannot be read and was set aside as {Aside}; sessions and retained messages begin empty: {Cause}")]
    public static partial void JournalSetAside(ILogger logger, string directory, string aside, string cause);

    [LoggerMessage(26, LogLevel.Error, "{Directory} cannot be used; sessions and retained messages will not outlive this process: {Cause}")]
    public static partial void JournalUnusable(ILogger logger, string directory, string cause);

    [LoggerMessage(30, LogLevel.Information, "client {ClientId} of {User} may not connect any more and is disconnected")]
    public static partial void RightsLost(ILogger logger, string clientId, string user);

    [LoggerMessage(31, LogLevel.Information, "client {ClientId} of {User} may not read {Filter} any more; the subscription is removed")]
    public static partial void SubscriptionLost(ILogger logger, string clientId, string user, string filter);

    [LoggerMessage(32, LogLevel.Information, "client {ClientId} of {User} may not publish to {Topic} any more; its will is removed")]
    public static partial void WillLost(ILogger logger, string clientId, string user, string topic);

    [LoggerMessage(33, LogLevel.Information, "refused client id {ClientId} to {User}: the session is {Owner}'s")]
    public static partial void NotInherited(ILogger logger, string clientId, string user, string owner);

    [LoggerMessage(34, LogLevel.Warning, "logins from {Address} are refused for {Seconds} s, because too many failed")]
    public static partial void LoginsRefused(ILogger logger, string address, long seconds);

    [LoggerMessage(35, LogLevel.Debug, "refused connect from {Remote}: {Reason}")]
    public static partial void ConnectRefusedAgain(ILogger logger, string remote, ReasonCode reason);

    [LoggerMessage(36, LogLevel.Debug, "refused sensor {ClientId} at {Address}: {Code}")]
    public static partial void SensorRefused(ILogger logger, string clientId, string address, string code);

    [LoggerMessage(12, LogLevel.Information, "no connection with {Remote}: {Cause}")]
    public static partial void HandshakeFailed(ILogger logger, string remote, string cause);

    [LoggerMessage(13, LogLevel.Information, "certificate of {Subject}, good until {NotAfter}, taken from {Path}")]
    public static partial void CertificateTaken(ILogger logger, string subject, string notAfter, string path);

    [LoggerMessage(15, LogLevel.Warning, "the client certificate of '{Name}' is refused: {Why}")]
    public static partial void CertificateRefused(ILogger logger, string name, string why);

    [LoggerMessage(14, LogLevel.Warning, "the certificate stays as it was: {Cause}")]
    public static partial void CertificateKept(ILogger logger, string cause);

    [LoggerMessage(11, LogLevel.Debug, "client lost its connection to {Endpoint}: {Cause}")]
    public static partial void ClientLostConnection(ILogger logger, string endpoint, string cause);

    [LoggerMessage(30, LogLevel.Information, "bridge {Name} is connected to {Address}, session present: {SessionPresent}")]
    public static partial void BridgeConnected(ILogger logger, string name, string address, bool sessionPresent);

    [LoggerMessage(31, LogLevel.Warning, "bridge {Name} has no connection to {Address}: {Cause}")]
    public static partial void BridgeTrouble(ILogger logger, string name, string address, string cause);

    [LoggerMessage(32, LogLevel.Warning, "bridge {Name} dropped a message to {Topic}: {Cause}; {Count} since the start")]
    public static partial void BridgeDropped(ILogger logger, string name, string topic, string cause, long count);

    [LoggerMessage(33, LogLevel.Warning, "bridge {Name} is configured no more; {Messages} messages that wait for it are kept for {Kept}")]
    public static partial void BridgeRetired(ILogger logger, string name, int messages, TimeSpan kept);

    [LoggerMessage(12, LogLevel.Warning, "a message to {Topic} that waited to be sent is lost: {Reason}")]
    public static partial void ClientMessageLost(ILogger logger, string topic, ReasonCode reason);
}
