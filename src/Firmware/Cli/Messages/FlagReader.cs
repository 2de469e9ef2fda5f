using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Topics;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>
/// Reads a command line as mosquitto's clients do: from left to right, a flag takes the arguments behind it whatever they look like. So a
/// payload or topic that a script passes on cannot be taken for a flag, which a parser that knows all flags at once cannot promise.
/// </summary>
internal static class FlagReader
{
    /// <exception cref="OperationRefusedException">Status 400: it cannot be understood or does not make sense.</exception>
    public static MessageFlags Read(FlagUse use, ReadOnlySpan<string> arguments)
    {
        var flags = new MessageFlags();
        while (!arguments.IsEmpty)
        {
            var name = arguments[0];
            arguments = arguments[1..];
            var flag = Find(use, name);
            try
            {
                if (flag.Has("-D")) TakeProperty(flags, name, ref arguments);
                else flag.Apply(flags, flag.Value is null ? string.Empty : Take(ref arguments, name));
            }
            catch (FormatException wrong)
            {
                throw Wrong($"{name}: {wrong.Message}");
            }
        }

        if (!flags.Help) Check(use, flags);
        return flags;
    }

    private static Flag Find(FlagUse use, string name)
    {
        foreach (var flag in FlagTable.All)
        {
            if (flag.Has(name) && flag.Use.HasFlag(use)) return flag;
        }

        throw Wrong(Array.IndexOf(FlagTable.NotOffered, name) >= 0 ? $"{name} is not offered here" : $"unknown option '{name}'; see --help");
    }

    private static void TakeProperty(MessageFlags flags, string flag, ref ReadOnlySpan<string> arguments)
    {
        var packet = Take(ref arguments, flag);
        var name = Take(ref arguments, flag);
        flags.Properties.Add(packet, name, Take(ref arguments, flag), ref arguments);
    }

    private static string Take(ref ReadOnlySpan<string> arguments, string name)
    {
        if (arguments.IsEmpty) throw Wrong($"{name}: a value is missing");
        var taken = arguments[0];
        arguments = arguments[1..];
        return taken;
    }

    private static void Check(FlagUse use, MessageFlags flags)
    {
        if (use == FlagUse.Publish) CheckPublish(flags);
        else CheckSubscribe(flags);
        if (flags.ClientId is not null && flags.ClientIdPrefix is not null) throw Wrong("-i and -I cannot be used together");
        if (flags.KeepSession && flags.ClientId is null && flags.ClientIdPrefix is null) throw Wrong("-c needs a client id");
        var passwordAlone = flags.Password is not null && flags.UserName is null;
        if (passwordAlone && flags.Version != ProtocolVersion.V5) throw Wrong("-P needs -u, or -V mqttv5");
        if (flags.UnixPath is not null && flags.Host is not null) throw Wrong("--unix and -h cannot be used together");
        if (flags.WillTopic is { } will && !TopicName.IsValid(will)) throw Wrong($"'{will}' is no topic for a will");
        var isWill = flags.WillPayload.Length > 0 || flags.WillQoS != QoS.AtMostOnce || flags.WillRetain || flags.Properties.SpeaksOfWill;
        if (isWill && flags.WillTopic is null) throw Wrong("a will needs --will-topic");
        if ((flags.CertificateFile is null) != (flags.KeyFile is null)) throw Wrong("--cert and --key belong together");
        var isTls = flags.CertificateFile is not null || flags.AnyServerName || flags.TlsVersion != TlsVersion.Tls12;
        if (isTls && !flags.Tls) throw Wrong("TLS is asked for with --cafile or --tls-use-os-certs");
        if (flags.Tls && flags.UnixPath is not null) throw Wrong("--unix does not go with TLS");
        var needs5 = flags.Properties.Any || flags.SessionExpirySeconds is not null || flags.RetainAsPublished;
        if (needs5 && flags.Version != ProtocolVersion.V5) throw Wrong("-D, -x and --retain-as-published need -V mqttv5");
    }

    private static void CheckPublish(MessageFlags flags)
    {
        if (flags.Topics is not [var topic]) throw Wrong("one topic is needed: -t");
        if (!TopicName.IsValid(topic)) throw Wrong($"'{topic}' is no topic to publish to");
        bool[] sources = [flags.Message is not null, flags.File is not null, flags.Lines, flags.Whole, flags.Empty];
        if (sources.Count(given => given) != 1) throw Wrong("one of -m, -f, -l, -s and -n is needed");
        if (flags.Lines && flags.Repeat > 1) throw Wrong("--repeat does not go with -l");
    }

    private static void CheckSubscribe(MessageFlags flags)
    {
        if (flags.Topics.Count == 0) throw Wrong("a topic is needed: -t");
        foreach (var filter in flags.Topics)
        {
            if (!TopicName.IsValidFilter(filter)) throw Wrong($"'{filter}' is no topic filter");
        }

        if (flags.SkipRetained && flags.RetainedOnly) throw Wrong("-R and --retained-only cannot be used together");
    }

    private static OperationRefusedException Wrong(string why) => new(400, why);
}
