using System.Net;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Tests.Site;

/// <summary>MQTT over TLS with a site's certificates, and what both it and the API show after a renewal, on a whole node.</summary>
public sealed class MqttOfASiteTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_node_of_the_site_is_the_user_of_its_name_until_it_is_revoked()
    {
        await using var site = await SiteUnderTest.StartAsync();
        var (barn, shed) = (await site.JoinAsync("barn"), await site.JoinAsync("shed"));
        foreach (var user in (string[])["barn", "shed"])
            Assert.Equal(0, (await site.Node.RunWithInputAsync("pw\n", "users", "add", user, "--rule", "allow all #")).Code);
        await using var lost = await ConnectAsync(site, shed);
        await using var other = await ConnectAsync(site, barn);
        Assert.Contains("shed", (await site.Node.CommandAsync("clients", "list")).Output, StringComparison.Ordinal);

        await site.RevokeAsync("shed");
        await site.Node.UntilAsync(() => Task.FromResult(!lost.IsConnected));
        await Assert.ThrowsAsync<MqttException>(() => ConnectAsync(site, shed));
        await site.LoggedAsync("is revoked");
        Assert.True(other.IsConnected);
        Assert.False((await other.PublishAsync(new MqttMessage { Topic = "a", QoS = QoS.AtLeastOnce }).WaitAsync(Limit)).IsFailure());
    }

    [Fact]
    public async Task A_node_that_is_no_user_and_one_of_another_site_do_not_come_in()
    {
        await using var site = await SiteUnderTest.StartAsync();
        await using var nobody = NewClient(site, await site.JoinAsync("barn"));
        Assert.Equal(ReasonCode.NotAuthorized, (await nobody.ConnectAsync().WaitAsync(Limit)).Reason);
        await using var elsewhere = await SiteUnderTest.StartAsync(name: "elsewhere");
        await using var stranger = NewClient(site, await elsewhere.JoinAsync("barn"));
        await Assert.ThrowsAsync<MqttException>(() => stranger.ConnectAsync().WaitAsync(Limit));
        await site.LoggedAsync("of another site");
    }

    [Theory]
    [InlineData(ClientCertificates.No, true)]
    [InlineData(ClientCertificates.Optional, true)]
    [InlineData(ClientCertificates.Required, false)]
    public async Task Without_a_certificate_a_password_is_enough_where_none_is_required(ClientCertificates clients, bool enough)
    {
        await using var site = await SiteUnderTest.StartAsync(clients: clients);
        await using var client = NewClient(site, null, "admin", site.Node.Password);
        if (enough)
            Assert.Equal(ReasonCode.Success, (await client.ConnectAsync().WaitAsync(Limit)).Reason);
        else
            await Assert.ThrowsAsync<MqttException>(() => client.ConnectAsync().WaitAsync(Limit));
    }

    [Fact]
    public async Task A_renewed_certificate_is_shown_without_a_restart()
    {
        var clock = new ShiftedClock(TimeProvider.System.GetUtcNow());
        await using var site = await SiteUnderTest.StartAsync(clock);
        IPEndPoint[] served = [site.Node.Configuration.ApiTlsListen!, site.Node.Configuration.MqttTls!.Listen[0]];
        using var first = await SiteUnderTest.ShownAsync(served[0]);
        await using var connected = NewClient(site, null, "admin", site.Node.Password);
        Assert.Equal(ReasonCode.Success, (await connected.ConnectAsync().WaitAsync(Limit)).Reason);

        clock.Jump = TimeSpan.FromDays(300);
        Assert.Equal(0, (await site.Node.CommandAsync("site", "token")).Code); // whatever it is asked, it looks at the clock
        foreach (var address in served)
            await site.Node.UntilAsync(async () =>
            {
                using var shown = await SiteUnderTest.ShownAsync(address);
                return shown.NotAfter > first.NotAfter.AddDays(250) && shown.GetPublicKeyString() == first.GetPublicKeyString();
            });
        Assert.True(connected.IsConnected);
    }

    private static async Task<MqttClient> ConnectAsync(SiteUnderTest site, string home)
    {
        var client = NewClient(site, home);
        try
        {
            Assert.Equal(ReasonCode.Success, (await client.ConnectAsync().WaitAsync(Limit)).Reason);
            return client;
        }
        catch (MqttException)
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <param name="home">Site directory of who connects; <c>null</c> for somebody without certificate.</param>
    private static MqttClient NewClient(SiteUnderTest site, string? home, string? user = null, string? password = null) => new(new MqttClientOptions
    {
        Server = site.Node.Configuration.MqttTls!.Listen[0], UserName = user, Password = password, KeepAlive = TimeSpan.Zero,
        Tls = new TlsClientOptions
        {
            AuthorityFile = Path.Combine(site.Home, "authority.pem"), ServerName = "gate-1",
            CertificateFile = home is null ? null : Path.Combine(home, "node.pem"), KeyFile = home is null ? null : Path.Combine(home, "node.key"),
        },
    });
}
