using System.Text;

namespace EdgeFirmware.Platform.Engine;

/// <summary>Makes lines of the pieces of one output stream. A line longer than the limit is cut into several.</summary>
internal sealed class LineAssembler
{
    public const int LineBytesMax = 32 << 10;

    private byte[] _partial = new byte[256];
    private int _length;

    /// <summary>Adds one piece; completed lines go to <paramref name="lines"/>.</summary>
    public void Append(ReadOnlySpan<byte> piece, List<string> lines)
    {
        while (!piece.IsEmpty)
        {
            var newline = piece.IndexOf((byte)'\n');
            var part = newline < 0 ? piece : piece[..newline];
            var room = LineBytesMax - _length;
            if (part.Length > room)
            {
                Keep(part[..room]);
                lines.Add(Take());
                piece = piece[room..];
                continue;
            }
            Keep(part);
            if (newline < 0)
                return;
            lines.Add(Take());
            piece = piece[(newline + 1)..];
        }
    }

    /// <returns>What came after the last newline, or <c>null</c>.</returns>
    public string? Rest() => _length == 0 ? null : Take();

    private void Keep(ReadOnlySpan<byte> part)
    {
        if (_length + part.Length > _partial.Length)
            Array.Resize(ref _partial, Math.Max(_partial.Length * 2, _length + part.Length));
        part.CopyTo(_partial.AsSpan(_length));
        _length += part.Length;
    }

    private string Take()
    {
        var end = _length > 0 && _partial[_length - 1] == '\r' ? _length - 1 : _length;
        var line = Encoding.UTF8.GetString(_partial, 0, end);
        _length = 0;
        return line;
    }
}
