using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeFirmware.Contracts;

/// <summary>The human identity of a device: <c>deviceName/MAC</c>, for example <c>gate-1/02:42:ac:11:00:02</c>. Every message is
/// addressed by this ID, never by an address (platform paper, section 2).</summary>
[JsonConverter(typeof(JsonConverterOfNodeId))]
public readonly record struct NodeId : IComparable<NodeId>
{
    /// <summary>Bound on what a peer may send: 63 (a DNS label) + 1 + 17 (a MAC) characters.</summary>
    public const int LengthMax = 81;

    private readonly string? _value;

    private NodeId(string value) => _value = value;

    public string Value => _value ?? "";

    /// <summary>The part before the slash.</summary>
    public string Name => Value.Length == 0 ? "" : Value[..Value.IndexOf('/', StringComparison.Ordinal)];

    public static NodeId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException($"'{text}' is not a node ID: expected deviceName/MAC");

    public static bool TryParse(string? text, out NodeId id)
    {
        id = default;
        if (text is null || text.Length > LengthMax)
            return false;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IsName(text.AsSpan(0, slash)) || !IsMac(text.AsSpan(slash + 1)))
            return false;
        id = new NodeId(text);
        return true;
    }

    /// <summary>A device name is a DNS label in lower or upper case: letters, digits and inner hyphens, 1-63 characters.</summary>
    public static bool IsName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > 63 || name[0] == '-' || name[^1] == '-')
            return false;
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
        return true;
    }

    public int CompareTo(NodeId other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;

    private static bool IsMac(ReadOnlySpan<char> mac)
    {
        if (mac.Length != 17)
            return false;
        for (var i = 0; i < 17; i++)
            if (i % 3 == 2 ? mac[i] != ':' : !char.IsAsciiHexDigitLower(mac[i]))
                return false;
        return true;
    }
}

/// <summary>A NodeId is a string in JSON; anything else is a <see cref="JsonException"/>.</summary>
public sealed class JsonConverterOfNodeId : JsonConverter<NodeId>
{
    public override NodeId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        NodeId.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var id)
            ? id
            : throw new JsonException("not a node ID");

    public override void Write(Utf8JsonWriter writer, NodeId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
