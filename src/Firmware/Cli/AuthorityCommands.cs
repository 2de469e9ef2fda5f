using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Making a site, letting nodes in and shutting them out. With <c>--dir</c> on the authority's directory itself, otherwise through the
/// node that holds it.</summary>
internal static class AuthorityCommands
{
    private const int TokenMinutes = 60;

    public static Command Create() => new("site", "The site's authority and its nodes' certificates.")
    {
        CreateSite(),
        Issue(),
        Token(),
        Join(),
        Revoke(),
        RotateKey(),
        Publish(),
        Show(),
    };

    private static Command CreateSite()
    {
        var choice = new AuthorityChoice(isOfflineOnly: true);
        var name = new Option<string>("--name") { Description = "name of the site", HelpName = "NAME", Required = true };
        var command = choice.AddTo(new Command("create", "Make a site: its authority, a first gossip key. Keep the directory like a root password.") { name });
        command.SetAction((parsed, _) => choice.GuardAsync(parsed, async output =>
        {
            var site = await OfflineAuthority.CreateAsync(choice.Directory(parsed), parsed.GetRequiredValue(name), TimeProvider.System);
            choice.Print(parsed, site, FirmwareJson.Default.SiteStateView, () => output.WriteLine($"site {site.Name} made; fingerprint of its authority {site.Fingerprint}"));
        }));
        return command;
    }

    private static Command Issue()
    {
        var choice = new AuthorityChoice(isOfflineOnly: true);
        var node = new Option<string>("--node") { Description = "NAME or NAME/MAC; without a MAC one is made up", HelpName = "NODE", Required = true };
        var data = new Option<string>("--data") { Description = "data directory to prepare, for example on a card", HelpName = "DIR", Required = true };
        var years = new Option<int>("--years") { Description = "how long the certificate is good", HelpName = "N", DefaultValueFactory = _ => 1 };
        var command = choice.AddTo(new Command("issue", "Prepare a node's data directory at a desk: its ID, key and certificate.") { node, data, years });
        command.SetAction((parsed, _) => choice.GuardAsync(parsed, async output =>
        {
            if (parsed.GetValue(years) is < 1 or > 30)
                throw new OperationRefusedException(400, "--years: a number from 1 to 30");
            using var authority = OfflineAuthority.Open(choice.Directory(parsed), TimeProvider.System);
            var issued = await authority.IssueAsync(
                NodeOf(parsed.GetRequiredValue(node)), Path.GetFullPath(parsed.GetRequiredValue(data)), TimeSpan.FromDays(365.25 * parsed.GetValue(years)));
            choice.Print(parsed, issued, FirmwareJson.Default.SiteMemberView, () => output.WriteLine($"{issued.Id} is prepared, certificate good until {issued.GoodUntil}"));
        }));
        return command;
    }

    private static Command Token()
    {
        var choice = new AuthorityChoice();
        var minutes = new Option<int>("--minutes") { Description = "how long it is good", HelpName = "N", DefaultValueFactory = _ => TokenMinutes };
        var command = choice.AddTo(new Command("token", "Make a token that lets one node in.") { minutes });
        command.SetAction((parsed, cancel) => choice.DoAsync(
            parsed, new ControlRequest("site-token", Tail: parsed.GetValue(minutes)), authority => authority.CreateTokenAsync(parsed.GetValue(minutes)),
            FirmwareJson.Default.TokenView, (token, output) => output.WriteLine(token.Token), cancel));
        return command;
    }

    private static Command Join()
    {
        var node = new NodeChoice();
        var token = new Argument<string>("TOKEN") { Description = "as 'site token' prints it" };
        var peer = new Option<string>("--peer") { Description = "a node that holds the authority", HelpName = "HOST:PORT", Required = true };
        var name = new Option<string?>("--name") { Description = "name of this device; the host name unless the configuration says another", HelpName = "NAME" };
        var command = node.AddTo(new Command("join", "Make this machine a node of a site.") { token, peer, name });
        command.SetAction((parsed, cancel) => node.GuardAsync(parsed, async () =>
        {
            var read = EnrolmentToken.Parse(parsed.GetRequiredValue(token)) ?? throw new OperationRefusedException(400, "TOKEN: not a token; it begins with edge1- and is one line");
            var device = parsed.GetValue(name) ?? node.DeviceName(parsed);
            if (!NodeId.IsName(device))
                throw new OperationRefusedException(400, $"'{device}' is no device name; give one with --name");
            var data = node.DataDirectory(parsed);
            var joined = await SiteJoin.RunAsync(read, await EndpointAsync(parsed.GetRequiredValue(peer), cancel), data, device, TimeProvider.System, cancel);
            parsed.InvocationConfiguration.Output.WriteLine(node.IsJson(parsed)
                ? JsonSerializer.SerializeToNode(joined, FirmwareJson.Default.SiteMemberView)!.ToJsonString(JsonText.Indented)
                : $"{joined.Id} is of the site, certificate good until {joined.GoodUntil}\nconfigure \"Mesh\": {{ \"Site\": \"{Path.Combine(data, "site")}\", ... }}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static Command Revoke()
    {
        var choice = new AuthorityChoice();
        var node = new Argument<string>("NODE") { Description = "name, ID or the first digits of its key's hash" };
        var command = choice.AddTo(new Command("revoke", "Shut a node out, and change the gossip key that it knows.") { node });
        command.SetAction((parsed, cancel) => choice.DoAsync(
            parsed, new ControlRequest("site-revoke", parsed.GetRequiredValue(node)), async authority =>
            {
                await authority.RevokeAsync(parsed.GetRequiredValue(node));
                return authority.State();
            }, FirmwareJson.Default.SiteStateView, (site, output) => output.WriteLine($"revoked; list {site.Revocations} has {site.Revoked.Length} keys"), cancel));
        return command;
    }

    private static Command RotateKey()
    {
        var choice = new AuthorityChoice();
        var command = choice.AddTo(new Command("rotate-key", "Replace the gossip key."));
        command.SetAction((parsed, cancel) => choice.DoAsync(
            parsed, new ControlRequest("site-rotate-key"), async authority =>
            {
                await authority.ChangeKeyAsync(isUrgent: false);
                return authority.State();
            }, FirmwareJson.Default.SiteStateView, (_, output) => output.WriteLine("a new gossip key is on its way; every node uses it within about a minute"), cancel));
        return command;
    }

    private static Command Publish()
    {
        var choice = new AuthorityChoice(isOfflineOnly: true);
        var peer = new Option<string>("--peer") { Description = "any node of the site", HelpName = "HOST:PORT", Required = true };
        var command = choice.AddTo(new Command("publish", "Bring revocations and keys made at a desk to the site.") { peer });
        command.SetAction((parsed, cancel) => choice.GuardAsync(parsed, async output =>
        {
            using var authority = OfflineAuthority.Open(choice.Directory(parsed), TimeProvider.System);
            await authority.PublishAsync(await EndpointAsync(parsed.GetRequiredValue(peer), cancel), TimeProvider.System, cancel);
            var site = authority.State();
            choice.Print(parsed, site, FirmwareJson.Default.SiteStateView, () => output.WriteLine($"{site.Name}: compared with the node"));
        }));
        return command;
    }

    private static Command Show()
    {
        var choice = new AuthorityChoice();
        var command = choice.AddTo(new Command("show", "Show the site, its nodes' certificates and what is revoked."));
        command.SetAction((parsed, cancel) => choice.DoAsync(
            parsed, new ControlRequest("site-show"), authority => Task.FromResult(authority.State()), FirmwareJson.Default.SiteStateView, Write, cancel));
        return command;
    }

    private static void Write(SiteStateView site, TextWriter output)
    {
        output.WriteLine($"site         {site.Name}{(site.HoldsAuthority ? ", the authority is here" : "")}");
        output.WriteLine($"fingerprint  {site.Fingerprint}");
        output.WriteLine($"gossip key   {site.GossipKey}");
        output.WriteLine($"time         {site.Time ?? $"not known: {site.TimeWhy}"}");
        var table = new TextTable("NODE", "GOOD UNTIL", "KEY");
        foreach (var member in site.Members)
            table.Add(member.Id, member.GoodUntil, member.KeyHash[..16]);
        foreach (var revoked in site.Revoked)
            table.Add(revoked.Id, "revoked", revoked.KeyHash[..16]);
        table.Write(output);
    }

    private static NodeId NodeOf(string text)
    {
        if (!text.Contains('/', StringComparison.Ordinal))
        {
            var mac = RandomNumberGenerator.GetBytes(6);
            mac[0] = (byte)((mac[0] & 0xFC) | 0x02); // locally administered
            text = $"{text}/{BitConverter.ToString(mac).Replace('-', ':').ToLowerInvariant()}";
        }
        return NodeId.TryParse(text, out var node) ? node : throw new OperationRefusedException(400, $"--node: '{text}' is no NAME or NAME/MAC");
    }

    private static async Task<IPEndPoint> EndpointAsync(string text, CancellationToken cancel)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            throw new OperationRefusedException(400, $"--peer: '{text}' is no HOST:PORT, for example 10.1.0.1:7900");
        try
        {
            return new IPEndPoint((await Dns.GetHostAddressesAsync(text[..colon].Trim('[', ']'), cancel))[0], port);
        }
        catch (SocketException error)
        {
            throw new OperationRefusedException(400, $"--peer: {text[..colon]}: {error.Message}");
        }
    }
}
