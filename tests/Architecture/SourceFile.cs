using System.Text;

namespace EdgeFirmware.Architecture;

/// <summary>One C# file, split into what is code and what is text: rules about names must not stumble over comments.</summary>
/// <param name="Code">The file without comments and without the content of string literals; lines are kept.</param>
/// <param name="Literals">The content of each string literal.</param>
internal sealed record SourceFile(string Path, string Text, string Code, IReadOnlyList<string> Literals)
{
    public int LineCount => Text.Count(character => character == '\n');

    public static SourceFile Read(string path)
    {
        var text = File.ReadAllText(path);
        var (code, literals) = Split(text);
        return new SourceFile(Repository.Relative(path), text, code, literals);
    }

    /// <summary>A small scanner: comments, char, plain, verbatim and raw literals. Interpolation holes count as text of the literal.</summary>
    internal static (string Code, IReadOnlyList<string> Literals) Split(string text)
    {
        var code = new StringBuilder(text.Length);
        var literals = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            var rest = text.AsSpan(i);
            if (rest.StartsWith("//"))
                i = EndOf(text, "\n", i, keepEnd: true);
            else if (rest.StartsWith("/*"))
                i = CopyLineBreaks(text, i, EndOf(text, "*/", i + 2, keepEnd: false), code);
            else if (rest.StartsWith("\"\"\""))
                i = Literal(text, i, QuoteRun(text, i), code, literals);
            else if (rest[0] == '"')
                i = Literal(text, i, 1, code, literals, verbatim: IsVerbatim(text, i));
            else if (rest[0] == '\'')
                i = CharacterLiteral(text, i);
            else
                code.Append(text[i++]);
        }
        return (code.ToString(), literals);
    }

    private static int QuoteRun(string text, int at)
    {
        var length = 0;
        while (at + length < text.Length && text[at + length] == '"')
            length++;
        return length;
    }

    private static bool IsVerbatim(string text, int quote) =>
        quote > 0 && (text[quote - 1] == '@' || (text[quote - 1] == '$' && quote > 1 && text[quote - 2] == '@'));

    private static int Literal(string text, int start, int quotes, StringBuilder code, List<string> literals, bool verbatim = false)
    {
        // An even run of quotes that is no raw literal is an empty string.
        if (quotes > 1 && quotes % 2 == 0 && quotes < 6)
        {
            literals.Add("");
            return start + 2;
        }
        var i = start + quotes;
        while (i < text.Length)
        {
            if (quotes == 1 && !verbatim && text[i] == '\\')
                i += 2;
            else if (verbatim && text[i] == '"' && i + 1 < text.Length && text[i + 1] == '"')
                i += 2;
            else if (text[i] == '"' && QuoteRun(text, i) >= quotes)
                break;
            else
                i++;
        }
        var end = Math.Min(i, text.Length);
        literals.Add(text[(start + quotes)..end]);
        code.Append('"');
        CopyLineBreaks(text, start, end, code);
        code.Append('"');
        return Math.Min(end + quotes, text.Length);
    }

    private static int CharacterLiteral(string text, int start)
    {
        var i = start + 1;
        while (i < text.Length && text[i] != '\'' && text[i] != '\n')
            i += text[i] == '\\' ? 2 : 1;
        return Math.Min(i + 1, text.Length);
    }

    private static int EndOf(string text, string mark, int from, bool keepEnd)
    {
        var found = text.IndexOf(mark, from, StringComparison.Ordinal);
        return found < 0 ? text.Length : keepEnd ? found : found + mark.Length;
    }

    private static int CopyLineBreaks(string text, int from, int to, StringBuilder code)
    {
        code.Append('\n', text.AsSpan(from, to - from).Count('\n'));
        return to;
    }
}
