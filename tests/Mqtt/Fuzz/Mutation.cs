namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>Ways to spoil a packet.</summary>
internal static class Mutation
{
    private static readonly byte[] Telling = [0, 1, 2, 0x7F, 0x80, 0xFF, 0xC0, 0xFE, 11, 35, 38];

    public static byte[] Of(byte[] packet, byte[] other, Random random)
    {
        var bytes = packet.ToArray();
        for (var times = random.Next(1, 4); times > 0; times--) bytes = Once(bytes, other, random);
        return bytes;
    }

    private static byte[] Once(byte[] bytes, byte[] other, Random random)
    {
        if (bytes.Length == 0) return [(byte)random.Next(256)];
        var at = random.Next(bytes.Length);
        switch (random.Next(9))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); return bytes;
            case 1: bytes[at] = Telling[random.Next(Telling.Length)]; return bytes;
            case 2: return bytes[..at];
            case 3: return [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]];
            case 4: return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(1, 4))..]];
            case 5: return [.. bytes[..at], .. other[random.Next(other.Length)..]];
            case 6: return [.. bytes, .. bytes];
            case 7 when bytes.Length > 2:
                // A body of another size under a header that agrees: the damage is inside.
                byte[] body = random.Next(2) == 0 ? [.. bytes[2..], (byte)random.Next(256)] : bytes[2..^1];
                return body.Length < 128 ? [bytes[0], (byte)body.Length, .. body] : bytes;
            default: bytes[0] = (byte)random.Next(256); return bytes;
        }
    }
}
