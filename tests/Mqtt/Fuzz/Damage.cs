namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>What cards and power cuts do to files.</summary>
internal static class Damage
{
    /// <summary>The file afterwards, and the first byte that may have changed.</summary>
    public static (byte[] Bytes, int From) To(byte[] file, Random random)
    {
        var from = random.Next(file.Length);
        var length = Math.Min(file.Length - from, random.Next(4) == 0 ? random.Next(1, 5000) : random.Next(1, 20));
        var bytes = file.ToArray();
        var run = bytes.AsSpan(from, length);
        switch (random.Next(7))
        {
            case 0: bytes[from] ^= (byte)(1 << random.Next(8)); break;
            case 1: random.NextBytes(run); break;
            case 2: run.Clear(); break;
            case 3: bytes = bytes[..from]; break;
            case 4: bytes = [.. bytes[..from], .. bytes[(from + length)..]]; break;
            case 5: bytes = [.. bytes[..(from + length)], .. bytes[from..]]; from += length; break;
            default: bytes = [.. bytes[..from], .. new byte[random.Next(5000)]]; break;
        }

        return (bytes, from);
    }
}
