namespace EdgeFirmware.Mqtt.Tests.SensorNet;

/// <summary>Datagrams that are nearly MQTT-SN.</summary>
internal static class SensorNoise
{
    private static readonly byte[][] Seeds =
        [.. SensorCodecTests.Messages.Concat(SensorCodecTests.Nonsense).Select(row => Bytes.Of((string)row[0]))];

    public static byte[] Next(Random random)
    {
        var bytes = (byte[])Seeds[random.Next(Seeds.Length)].Clone();
        if (random.Next(4) == 0)
        {
            var tail = new byte[random.Next(24)];
            random.NextBytes(tail);
            bytes = [.. bytes, .. tail];
        }

        for (var flips = random.Next(4); flips > 0 && bytes.Length > 0; flips--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        // Most have the length they say.
        if (bytes.Length > 0 && bytes[0] != 1 && random.Next(8) > 0) bytes[0] = (byte)bytes.Length;
        return bytes;
    }
}
