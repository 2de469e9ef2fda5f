using System.Text.Json.Serialization;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Platform.Storage;

[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WorkloadRecord))]
internal sealed partial class StorageJson : JsonSerializerContext;
