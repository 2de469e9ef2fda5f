using System.Text.Json.Serialization;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>Control messages on the wire: one JSON object a frame.</summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(PeerMessage))]
internal sealed partial class MeshJson : JsonSerializerContext;
