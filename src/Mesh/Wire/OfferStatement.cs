using System.Numerics;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>An offer as bytes, as docs/protocol.md describes them: what its node signs and everybody passes on.</summary>
internal static class OfferStatement
{
    private const int LevelMask = 0x03;
    private const int CheckpointFlag = 0x10;
    private const int OverloadedFlag = 0x20;
    private const int DrainingFlag = 0x40;
    private const ushort NoExhaustion = ushort.MaxValue;

    /// <summary>Shares and likelihoods are told in hundredths.</summary>
    private const double Hundredth = 0.01;

    public static byte[] Write(uint boot, Offer offer)
    {
        var buffer = new byte[SignedOffer.StatementBytesMax];
        var writer = new WireWriter(buffer);
        writer.UInt32(boot);
        writer.UInt32(offer.Version);
        writer.UInt16((ushort)Math.Clamp(offer.Validity.TotalSeconds, 1, Offer.ValidityMax.TotalSeconds));
        writer.Byte((byte)((int)offer.Level | (offer.CanCheckpoint ? CheckpointFlag : 0) | (offer.Overloaded ? OverloadedFlag : 0)
            | (offer.Draining ? DrainingFlag : 0)));
        writer.Byte((byte)offer.Links);
        writer.UInt16(Hundredths(offer.CpuCores));
        writer.UInt16(Hundredths(Math.Min(offer.CpuFreeCores, offer.CpuCores)));
        writer.UInt32(KibiBytes(offer.MemoryBytes));
        writer.UInt32(KibiBytes(Math.Min(offer.MemoryFreeBytes, offer.MemoryBytes)));
        writer.UInt32(KibiBytes(offer.DiskFreeBytes));
        writer.Byte((byte)BitOperations.Log2((uint)Math.Max(1, offer.PageBytes)));
        writer.UInt16(Hundredths(offer.Outlook.CpuCoresLess));
        writer.UInt32(KibiBytes(offer.Outlook.MemoryBytesLess));
        writer.UInt16(offer.Outlook.Exhaustion is { } left ? (ushort)Math.Clamp(left.TotalSeconds, 0, NoExhaustion - 1) : NoExhaustion);
        writer.Byte((byte)Math.Clamp(Math.Round(offer.Outlook.Failure / Hundredth), 0, 100));
        writer.Text(offer.Why, Offer.WhyLengthMax);
        writer.Text(offer.Architecture, Offer.NameLengthMax);
        writer.Text(offer.Engine, Offer.NameLengthMax);
        var labels = Math.Min(offer.Labels.Count, Offer.LabelsMax);
        writer.Byte((byte)labels);
        for (var i = 0; i < labels; i++)
            writer.Text(offer.Labels[i], Offer.NameLengthMax);
        return buffer[..writer.Length];
    }

    /// <returns><c>null</c> for what is no offer, or one that cannot be: a machine cannot have more free than it has.</returns>
    public static Offer? Read(ReadOnlySpan<byte> statement, out uint boot)
    {
        var reader = new WireReader(statement);
        boot = reader.UInt32();
        var version = reader.UInt32();
        int validity = reader.UInt16();
        var flags = reader.Byte();
        var links = (LinkKinds)reader.Byte();
        double cpuCores = reader.UInt16() * Hundredth, cpuFree = reader.UInt16() * Hundredth;
        long memory = (long)reader.UInt32() << 10, memoryFree = (long)reader.UInt32() << 10, diskFree = (long)reader.UInt32() << 10;
        int page = reader.Byte();
        var cpuLess = reader.UInt16() * Hundredth;
        var memoryLess = (long)reader.UInt32() << 10;
        var exhaustion = reader.UInt16();
        int failure = reader.Byte();
        var why = reader.Text(Offer.WhyLengthMax);
        var architecture = reader.Text(Offer.NameLengthMax);
        var engine = reader.Text(Offer.NameLengthMax);
        int count = reader.Byte();
        var labels = new List<string>();
        for (var i = 0; i < count && !reader.HasFailed; i++)
            labels.Add(reader.Text(Offer.NameLengthMax));
        if (!reader.IsAtEnd || boot == 0 || version == 0 || validity == 0 || validity > Offer.ValidityMax.TotalSeconds
            || (flags & LevelMask) > (int)CollaborationLevel.Everything || cpuFree > cpuCores || memoryFree > memory || page is < 10 or > 20
            || failure > 100 || count > Offer.LabelsMax)
            return null;
        return new Offer(
            version, (CollaborationLevel)(flags & LevelMask), why, cpuCores, cpuFree, memory, memoryFree, diskFree, architecture, 1 << page,
            engine, (flags & CheckpointFlag) != 0, (flags & OverloadedFlag) != 0)
        {
            Validity = TimeSpan.FromSeconds(validity), Draining = (flags & DrainingFlag) != 0, Links = links, Labels = labels,
            Outlook = new Outlook(
                cpuLess, memoryLess, exhaustion == NoExhaustion ? null : TimeSpan.FromSeconds(exhaustion), failure * Hundredth),
        };
    }

    /// <summary>The statement is bound to its node, and cannot be taken for anything else that is signed with the same key.</summary>
    public static byte[] ToBeSigned(NodeId node, ReadOnlySpan<byte> statement) =>
        [.. "edge-firmware offer v1\0"u8, .. Encoding.ASCII.GetBytes(node.Value), 0, .. statement];

    /// <summary>Rounded, not cut.</summary>
    private static ushort Hundredths(double value) => (ushort)Math.Clamp(Math.Round(value / Hundredth), 0, ushort.MaxValue);

    /// <summary>4 TiB is the largest size that can be told; more counts as that.</summary>
    private static uint KibiBytes(long bytes) => (uint)Math.Clamp(bytes >> 10, 0, uint.MaxValue);
}
