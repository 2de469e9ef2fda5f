using System.Text;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Tests.Access;

/// <summary>Users with the password "right", unless they say otherwise.</summary>
internal static class Users
{
    public static readonly User Alice = Make("alice");

    public static User Make(string name, string password = "right", params string[] rules) => new(name)
    {
        Credential = ScramCredential.FromPassword(password, Encoding.UTF8.GetBytes(name.PadRight(16)), ScramCredential.IterationsMin),
        Rules = rules.Length > 0 ? Rules(rules) : [TopicRule.AllowAll],
    };

    public static UserDirectory Directory(params User[] users) => new(users, []);

    public static TopicRule[] Rules(params string[] texts) => [.. texts.Select(text => TopicRule.Parse(text, out var fault) ?? throw new ArgumentException(fault))];

    public static ConnectAttempt Attempt(string? user, string? password, string clientId = "c") => new(
        clientId, user, password is null ? null : Encoding.UTF8.GetBytes(password), "10.0.0.9:1234", false, ProtocolVersion.V5);
}
