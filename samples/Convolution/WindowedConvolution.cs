namespace EdgeFirmware.Samples.Convolution;

/// <summary>The papers' standard test application: a windowed convolution of a 50×50 matrix with exactly 5000 multiplications and 2500
/// additions a message. That is a window of two taps over the flattened matrix, wrapping at its end.</summary>
public static class WindowedConvolution
{
    private const int NearTap = 3;
    private const int FarTap = 5;

    /// <summary>Both spans hold <see cref="SensorMatrix.Elements"/>.</summary>
    public static void Apply(ReadOnlySpan<int> input, Span<int> output)
    {
        for (var i = 0; i < SensorMatrix.Elements; i++)
            output[i] = NearTap * input[i] + FarTap * input[i == SensorMatrix.Elements - 1 ? 0 : i + 1];
    }

    /// <summary>What a result carries of the 2500 outputs, so that a wrong one is noticed. Rotations only: it adds nothing to the
    /// workload's count of multiplications and additions.</summary>
    public static uint Checksum(ReadOnlySpan<int> output)
    {
        var sum = 0u;
        foreach (var value in output)
            sum = uint.RotateLeft(sum, 5) ^ (uint)value;
        return sum;
    }

    /// <summary>The checksum that the message of this number must lead to.</summary>
    public static uint ExpectedChecksum(long number)
    {
        Span<int> input = stackalloc int[SensorMatrix.Elements];
        Span<int> output = stackalloc int[SensorMatrix.Elements];
        SensorMatrix.Fill(number, input);
        Apply(input, output);
        return Checksum(output);
    }
}
