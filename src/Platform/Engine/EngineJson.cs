using System.Text.Json.Serialization;

namespace EdgeFirmware.Platform.Engine;

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(InfoAnswer))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(List<ImageSummary>))]
[JsonSerializable(typeof(ImageAnswer))]
[JsonSerializable(typeof(ProgressLine))]
[JsonSerializable(typeof(CreateRequest))]
[JsonSerializable(typeof(IdAnswer))]
[JsonSerializable(typeof(ContainerAnswer))]
[JsonSerializable(typeof(List<ContainerSummary>))]
[JsonSerializable(typeof(StatsAnswer))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecStart))]
[JsonSerializable(typeof(ExecAnswer))]
[JsonSerializable(typeof(VolumeRequest))]
[JsonSerializable(typeof(VolumesAnswer))]
[JsonSerializable(typeof(EventLine))]
[JsonSerializable(typeof(Filters))]
[JsonSerializable(typeof(List<ArchiveManifest>))]
internal sealed partial class EngineJson : JsonSerializerContext;
