using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>Opens a journal so that nothing it contains can keep the broker from starting: what cannot be read is set aside.</summary>
internal static class JournalStart
{
    private const int AsideMax = 9;

    /// <summary>Null: there is no usable place on this disk, which has been said in the log.</summary>
    public static (JournalFiles Files, Replay Replay)? Open(DurabilityOptions options, ILogger logger)
    {
        try
        {
            return Load(options, logger);
        }
        catch (JournalBusyException busy)
        {
            MqttLog.JournalUnusable(logger, options.Directory, busy.Message);
            return null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            try
            {
                SetAside(options.Directory, unreadable.Message, logger);
                return Load(options, logger);
            }
            catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
            {
                MqttLog.JournalUnusable(logger, options.Directory, unusable.Message);
                return null;
            }
        }
    }

    /// <exception cref="IOException">The directory or a file cannot be used, or another process uses it.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static (JournalFiles Files, Replay Replay) Load(DurabilityOptions options, ILogger logger)
    {
        var watch = Stopwatch.StartNew();
        var replay = new Replay();
        var files = JournalFiles.Open(options, replay, logger);
        var deliveries = 0;
        foreach (var session in replay.Sessions.Values) deliveries += session.Deliveries.Count;
        MqttLog.JournalRestored(
            logger, replay.Sessions.Count, deliveries, replay.Retained.Count, options.Directory, watch.ElapsedMilliseconds);
        return (files, replay);
    }

    /// <exception cref="IOException">It cannot be renamed, or too many were set aside already.</exception>
    private static void SetAside(string directory, string cause, ILogger logger)
    {
        if (!Path.Exists(directory)) throw new IOException(cause);
        for (var i = 1; i <= AsideMax; i++)
        {
            var aside = $"{directory}.unreadable-{i}";
            if (Path.Exists(aside)) continue;
            Directory.Move(directory, aside);
            MqttLog.JournalSetAside(logger, directory, aside, cause);
            return;
        }

        throw new IOException($"{cause}; and {AsideMax} were set aside before");
    }
}
