using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeFirmware.Contracts;

/// <summary>What a workload is called everywhere: the papers' <c>username-containerName</c>, unique in a site. A user name holds no
/// hyphen, so the first one separates the two.</summary>
[JsonConverter(typeof(JsonConverterOfWorkloadId))]
public readonly record struct WorkloadId : IComparable<WorkloadId>
{
    public const int UserLengthMax = 32;
    public const int NameLengthMax = 63;

    private readonly string? _value;

    private WorkloadId(string value) => _value = value;

    public string Value => _value ?? "";

    public string User => Value.Length == 0 ? "" : Value[..Value.IndexOf('-', StringComparison.Ordinal)];

    public string Name => Value.Length == 0 ? "" : Value[(Value.IndexOf('-', StringComparison.Ordinal) + 1)..];

    public static WorkloadId Of(string user, string name) => Parse($"{user}-{name}");

    public static WorkloadId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException($"'{text}' is not a workload ID: expected user-name");

    public static bool TryParse(string? text, out WorkloadId id)
    {
        id = default;
        if (text is null || text.Length > UserLengthMax + 1 + NameLengthMax)
            return false;
        var hyphen = text.IndexOf('-', StringComparison.Ordinal);
        if (hyphen < 0 || !IsUser(text.AsSpan(0, hyphen)) || !IsName(text.AsSpan(hyphen + 1)))
            return false;
        id = new WorkloadId(text);
        return true;
    }

    /// <summary>1-32 of <c>a-z 0-9 _ .</c>, the first a letter or digit, no two dots together.</summary>
    public static bool IsUser(ReadOnlySpan<char> text) => IsText(text, UserLengthMax, hyphen: false);

    /// <summary>1-63 of <c>a-z 0-9 _ . -</c>, the first a letter or digit: what an engine accepts in a container name. No two dots together: they
    /// part a workload from its volume in the volume's name.</summary>
    public static bool IsName(ReadOnlySpan<char> text) => IsText(text, NameLengthMax, hyphen: true);

    public int CompareTo(WorkloadId other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;

    private static bool IsText(ReadOnlySpan<char> text, int lengthMax, bool hyphen)
    {
        if (text.Length == 0 || text.Length > lengthMax || !(char.IsAsciiLetterLower(text[0]) || char.IsAsciiDigit(text[0]))
            || text.Contains("..", StringComparison.Ordinal))
            return false;
        foreach (var c in text)
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '.') && !(hyphen && c == '-'))
                return false;
        return true;
    }
}

/// <summary>A WorkloadId is a string in JSON; anything else is a <see cref="JsonException"/>.</summary>
public sealed class JsonConverterOfWorkloadId : JsonConverter<WorkloadId>
{
    public override WorkloadId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        WorkloadId.TryParse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null, out var id)
            ? id
            : throw new JsonException("not a workload ID");

    public override void Write(Utf8JsonWriter writer, WorkloadId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
