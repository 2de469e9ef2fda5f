using System.Text;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>Enhanced authentication (MQTT 5 sections 3.15 and 4.12) with SCRAM-SHA-256 (RFC 5802, RFC 7677).</summary>
public sealed class AuthenticationTests
{
    private const string Method = ScramServerExchange.Method;

    [Fact]
    public async Task The_example_of_RFC_7677_comes_out_to_the_letter()
    {
        var salt = Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==");
        var access = new ScramAccess("user", ScramCredential.FromPassword("pencil", salt, 4096));
        var server = new ScramServerExchange(access, Attempt, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        var client = new ScramClient("user", "pencil", () => "rOprNGfwEbeRWgbNEkqO");
        var first = client.Start();
        Assert.Equal("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", Text(first));
        var challenge = await server.ContinueAsync(first, CancellationToken.None);
        Assert.Equal("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", Text(challenge.Data));
        var last = client.Respond(challenge.Data);
        Assert.Equal(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", Text(last));
        var end = await server.ContinueAsync(last, CancellationToken.None);
        Assert.Equal("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Text(end.Data));
        Assert.Equal("user", end.Verdict!.Value.Principal!.Name);
        Assert.True(client.Verify(end.Data));
    }

    [Theory]
    [InlineData("")]
    [InlineData("p=tls-unique,,n=user,r=abc")]
    [InlineData("n,a=other,n=user,r=abc")]
    [InlineData("n,,m=ext,n=user,r=abc")]
    [InlineData("n,,n=us=er,r=abc")]
    [InlineData("n,,n=user")]
    [InlineData("n,,r=abc,n=user")]
    [InlineData("n,,n=user,r=a\u0001")]
    [InlineData("nonsense")]
    public async Task A_first_message_that_is_no_SCRAM_is_refused(string message)
    {
        var step = await new ScramServerExchange(Users(), Attempt).ContinueAsync(Encoding.UTF8.GetBytes(message), CancellationToken.None);
        Assert.Equal(ReasonCode.NotAuthorized, step.Verdict!.Value.Reason);
    }

    [Theory]
    [InlineData("c=biws,r=WRONG,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    [InlineData("c=eSws,r=NONCE,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    [InlineData("c=biws,r=NONCE,p=dHzb")]
    [InlineData("c=biws,r=NONCE,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    [InlineData("c=biws,r=NONCE")]
    public async Task A_last_message_that_proves_nothing_is_refused(string message)
    {
        var exchange = new ScramServerExchange(Users(), Attempt, "server");
        await exchange.ContinueAsync("n,,n=user,r=client"u8.ToArray(), CancellationToken.None);
        var last = Encoding.UTF8.GetBytes(message.Replace("NONCE", "clientserver", StringComparison.Ordinal));
        Assert.Equal(ReasonCode.NotAuthorized, (await exchange.ContinueAsync(last, CancellationToken.None)).Verdict!.Value.Reason);
    }

    [Fact]
    public async Task A_user_that_does_not_exist_is_challenged_like_one_that_does()
    {
        var first = Text((await new ScramServerExchange(Users(), Attempt, "x").ContinueAsync("n,,n=nobody,r=c"u8.ToArray(), default)).Data);
        var second = Text((await new ScramServerExchange(Users(), Attempt, "x").ContinueAsync("n,,n=nobody,r=c"u8.ToArray(), default)).Data);
        Assert.Equal(first, second);
        Assert.EndsWith(",i=4096", first, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("r=short,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=clientserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1")]
    [InlineData("r=clientserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999")]
    [InlineData("r=client,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")]
    [InlineData("r=clientserver,s=,i=4096")]
    public void A_client_does_not_answer_a_challenge_that_smells(string challenge)
    {
        var client = new ScramClient("user", "pencil", () => "client");
        client.Start();
        Assert.Null(client.Respond(Encoding.UTF8.GetBytes(challenge)));
        Assert.False(client.Verify("v=AAAA"u8.ToArray()));
    }

    [Fact]
    public async Task Broker_and_client_prove_themselves_to_each_other_and_again_later()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = Users());
        var client = await loopback.ConnectAsync("c", options => options.Authentication = new ScramClient("user", "pencil"));
        Assert.Equal("user", Assert.Single(loopback.Broker.Clients).User);
        await Within.Reason(client.ReauthenticateAsync());
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync(Messages.Message("a", "x", QoS.AtLeastOnce)));
    }

    [Theory]
    [InlineData("user", "wrong")]
    [InlineData("nobody", "pencil")]
    [InlineData("a=b,c", "pencil")]
    public async Task A_wrong_password_and_an_unknown_user_are_refused_alike(string user, string password)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = Users());
        var client = loopback.NewClient("c", options => options.Authentication = new ScramClient(user, password));
        Assert.Equal(ReasonCode.NotAuthorized, (await Within.Reason(client.ConnectAsync())).Reason);
        Assert.Empty(loopback.Broker.Clients);
    }

    [Fact]
    public async Task The_method_is_repeated_in_every_answer_and_the_challenge_says_to_go_on()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = Users());
        using var raw = await loopback.OpenRawAsync();
        var scram = new ScramClient("user", "pencil");
        await raw.SendAsync(Connect(scram.Start()));
        var challenge = await raw.ReceiveAsync<ReasonPacket>();
        Assert.Equal((PacketType.Auth, ReasonCode.ContinueAuthentication, Method),
            (challenge.Type, challenge.Reason, challenge.Properties.AuthenticationMethod));
        Assert.True(challenge.Properties is { ReasonString: null, UserProperties: [] });
        await raw.SendAsync(Auth(ReasonCode.ContinueAuthentication, scram.Respond(challenge.Properties.AuthenticationData)));
        var answer = await raw.ReceiveAsync<ConnAckPacket>();
        Assert.Equal((ReasonCode.Success, Method), (answer.Reason, answer.Properties.AuthenticationMethod));
        Assert.True(scram.Verify(answer.Properties.AuthenticationData));
    }

    [Fact]
    public async Task A_method_the_broker_does_not_offer_is_refused_and_without_a_method_there_is_no_AUTH()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync();
        await raw.SendAsync(Connect(null));
        Assert.Equal(ReasonCode.BadAuthenticationMethod, (await raw.ReceiveAsync<ConnAckPacket>()).Reason);
        Assert.Null(await raw.ReceiveAsync());

        using var plain = await loopback.OpenRawAsync();
        await plain.SendAsync(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = "p", CleanStart = true });
        Assert.Null((await plain.ReceiveAsync<ConnAckPacket>()).Properties.AuthenticationMethod);
        await plain.SendAsync(Auth(ReasonCode.ReAuthenticate, null));
        Assert.Equal(ReasonCode.ProtocolError, (await plain.ReceiveAsync<ReasonPacket>()).Reason);
        Assert.Null(await plain.ReceiveAsync());
    }

    public static TheoryData<string, object> NoAnswers => new()
    {
        { "something else before CONNACK", PingPacket.Request },
        { "another method", Auth(ReasonCode.ContinueAuthentication, null, "other") },
        { "no continuation", Auth(ReasonCode.ReAuthenticate, null) },
        { "nothing that proves", Auth(ReasonCode.ContinueAuthentication, null) },
    };

    [Theory]
    [MemberData(nameof(NoAnswers))]
    public async Task What_is_no_answer_to_the_challenge_ends_the_connection(string what, object packet)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = Users());
        using var raw = await loopback.OpenRawAsync();
        await raw.SendAsync(Connect(new ScramClient("user", "pencil").Start()));
        await raw.ReceiveAsync<ReasonPacket>();
        await raw.SendAsync((Packet)packet);
        Assert.True((await raw.ReceiveAsync<ConnAckPacket>()).Reason.IsFailure(), what);
        Assert.Null(await raw.ReceiveAsync());
    }

    [Fact]
    public async Task A_failed_reauthentication_ends_the_connection_with_its_reason()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = Users());
        using var raw = await ConnectAsync(loopback);
        var wrong = new ScramClient("user", "wrong");
        await raw.SendAsync(Auth(ReasonCode.ReAuthenticate, wrong.Start()));
        var challenge = await raw.ReceiveAsync<ReasonPacket>();
        // The rest of the traffic goes on meanwhile.
        await raw.SendAsync(PingPacket.Request);
        await raw.ReceiveAsync<PingPacket>();
        await raw.SendAsync(Auth(ReasonCode.ContinueAuthentication, wrong.Respond(challenge.Properties.AuthenticationData)));
        var end = await raw.ReceiveAsync<ReasonPacket>();
        Assert.Equal((PacketType.Disconnect, ReasonCode.NotAuthorized), (end.Type, end.Reason));
        Assert.Null(await raw.ReceiveAsync());
    }

    [Fact]
    public async Task A_reauthentication_with_another_method_is_a_protocol_error()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = Users());
        using var raw = await ConnectAsync(loopback);
        await raw.SendAsync(Auth(ReasonCode.ReAuthenticate, null, "other"));
        Assert.Equal(ReasonCode.ProtocolError, (await raw.ReceiveAsync<ReasonPacket>()).Reason);
        Assert.Null(await raw.ReceiveAsync());
    }

    private static ConnectAttempt Attempt => new("c", null, null, "test", false, ProtocolVersion.V5);

    private static ScramAccess Users() => new("user", ScramCredential.FromPassword("pencil", "0123456789abcdef"u8, 4096));

    private static string Text(ReadOnlyMemory<byte>? data) => Encoding.UTF8.GetString(data!.Value.Span);

    private static ConnectPacket Connect(ReadOnlyMemory<byte>? data) => new()
    {
        Version = ProtocolVersion.V5,
        ClientId = "r",
        CleanStart = true,
        Properties = new PacketProperties { AuthenticationMethod = Method, AuthenticationData = data },
    };

    private static ReasonPacket Auth(ReasonCode reason, ReadOnlyMemory<byte>? data, string method = Method) => new(PacketType.Auth)
    {
        Reason = reason,
        Properties = new PacketProperties { AuthenticationMethod = method, AuthenticationData = data },
    };

    private static async Task<RawClient> ConnectAsync(LoopbackBroker loopback)
    {
        var raw = await loopback.OpenRawAsync();
        var scram = new ScramClient("user", "pencil");
        await raw.SendAsync(Connect(scram.Start()));
        var challenge = await raw.ReceiveAsync<ReasonPacket>();
        await raw.SendAsync(Auth(ReasonCode.ContinueAuthentication, scram.Respond(challenge.Properties.AuthenticationData)));
        Assert.Equal(ReasonCode.Success, (await raw.ReceiveAsync<ConnAckPacket>()).Reason);
        return raw;
    }

    /// <summary>One user, who may do everything.</summary>
    private sealed class ScramAccess(string userName, ScramCredential credential) : IBrokerAccess, IScramCredentials
    {
        public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) =>
            ValueTask.FromResult(ConnectVerdict.Accept(Principal.Anonymous));

        public IAuthenticationExchange? BeginAuthentication(string method, ConnectAttempt attempt) =>
            method == Method ? new ScramServerExchange(this, attempt) : null;

        public ValueTask<ScramUser?> FindAsync(string name, ConnectAttempt attempt, CancellationToken cancellation) =>
            ValueTask.FromResult(name == userName ? new ScramUser(new Principal(name), credential) : null);

        public bool MayPublish(Principal principal, string topic) => true;

        public bool MaySubscribe(Principal principal, string filter) => true;
    }
}
