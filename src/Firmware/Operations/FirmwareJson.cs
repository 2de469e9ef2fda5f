using System.Text.Json.Serialization;
using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Firmware.Users;
using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Firmware.Operations;

[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = false, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 16,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(NodeView))]
[JsonSerializable(typeof(PeerView[]))]
[JsonSerializable(typeof(OfferView))]
[JsonSerializable(typeof(BridgeView[]))]
[JsonSerializable(typeof(LinkListView))]
[JsonSerializable(typeof(PeerPathsView[]))]
[JsonSerializable(typeof(ReachView))]
[JsonSerializable(typeof(NodeForecastView))]
[JsonSerializable(typeof(ClientListView))]
[JsonSerializable(typeof(ClientDetailsView))]
[JsonSerializable(typeof(ClientQuery))]
[JsonSerializable(typeof(WorkloadView[]))]
[JsonSerializable(typeof(MoveView))]
[JsonSerializable(typeof(WhyView))]
[JsonSerializable(typeof(DrainView))]
[JsonSerializable(typeof(EventView))]
[JsonSerializable(typeof(VersionView))]
[JsonSerializable(typeof(MigrateRequest))]
[JsonSerializable(typeof(ProblemView))]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlReply))]
[JsonSerializable(typeof(WorkloadSpec))]
[JsonSerializable(typeof(StoredCredential))]
[JsonSerializable(typeof(StoredIdentity))]
[JsonSerializable(typeof(StoredUsers))]
[JsonSerializable(typeof(UserChange))]
[JsonSerializable(typeof(UserView[]))]
[JsonSerializable(typeof(TenantView[]))]
[JsonSerializable(typeof(UserChangedView))]
[JsonSerializable(typeof(LoginsView))]
[JsonSerializable(typeof(Quotas))]
[JsonSerializable(typeof(TokenView))]
[JsonSerializable(typeof(SiteStateView))]
[JsonSerializable(typeof(SiteMemberView))]
internal sealed partial class FirmwareJson : JsonSerializerContext;

/// <param name="Id">Kept from the first start, so that a changed network card does not make another node of it.</param>
internal sealed record StoredIdentity(string Id);
