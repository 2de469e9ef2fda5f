using System.Text.Json.Serialization;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Workloads.Transfer;

/// <summary>Frames of a transfer conversation; the node that lets the workload go opens it.</summary>
internal enum TransferFrame : byte
{
    /// <summary>Sender: <see cref="TransferBegin"/>.</summary>
    Begin = 1,

    /// <summary>Receiver: <see cref="TransferWant"/>.</summary>
    Want = 2,

    /// <summary>Sender: bytes of the stream that is due.</summary>
    Chunk = 3,

    /// <summary>Sender: the stream is complete; body is its SHA-256.</summary>
    End = 4,

    /// <summary>Sender: the next stream is this volume's tar; body is its name.</summary>
    Volume = 5,

    /// <summary>Sender: that was all.</summary>
    Done = 6,

    /// <summary>Receiver: everything is in place.</summary>
    Ready = 7,

    /// <summary>Receiver: it will not be; body is the reason.</summary>
    Reject = 8,
}

/// <param name="Image"><c>null</c> when the sender has no image, or sends volumes.</param>
/// <param name="Volumes">Volume content for a prepared container, not an image.</param>
internal sealed record TransferBegin(Guid Lease, long Epoch, ImageDescription? Image, bool Volumes);

/// <param name="SkipLayers">Layers, from the base, that the receiver has.</param>
internal sealed record TransferWant(bool SendImage, int SkipLayers);

[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, MaxDepth = 8)]
[JsonSerializable(typeof(TransferBegin))]
[JsonSerializable(typeof(TransferWant))]
internal sealed partial class TransferJson : JsonSerializerContext;
