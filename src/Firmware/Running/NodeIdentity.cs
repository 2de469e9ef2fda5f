using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Platform.Storage;

namespace EdgeFirmware.Firmware.Running;

/// <summary>The device's ID, <c>deviceName/MAC</c>, made at the first start.</summary>
internal static class NodeIdentity
{
    /// <exception cref="EdgeFirmware.Contracts.Mesh.StorageException">The data directory cannot be read or written.</exception>
    public static async Task<NodeId> LoadOrCreateAsync(string directory, string name, CancellationToken cancel)
    {
        var path = Path.Combine(directory, "identity.json");
        if (File.Exists(path))
        {
            var stored = await StoredFile.ReadAsync(path, FirmwareJson.Default.StoredIdentity, cancel);
            // A renamed device keeps its MAC part, so that it stays the same device to a person who reads it.
            if (NodeId.TryParse(stored.Id, out var known))
                return known.Name == name ? known : await StoreAsync(path, $"{name}/{known.Value[(known.Name.Length + 1)..]}", cancel);
        }
        return await StoreAsync(path, $"{name}/{FindMac()}", cancel);
    }

    public static async Task<NodeId> StoreAsync(string path, string id, CancellationToken cancel)
    {
        await AtomicFile.WriteAsync(path, JsonSerializer.SerializeToUtf8Bytes(new StoredIdentity(id), FirmwareJson.Default.StoredIdentity), cancel);
        return NodeId.Parse(id);
    }

    /// <summary>Of the first card that has one, wired before wireless by name; a random locally administered one on a machine without.</summary>
    private static string FindMac()
    {
        var card = NetworkInterface.GetAllNetworkInterfaces()
            .Where(one => one.NetworkInterfaceType is NetworkInterfaceType.Ethernet or NetworkInterfaceType.Wireless80211)
            .Where(one => one.GetPhysicalAddress().GetAddressBytes() is { Length: 6 } bytes && bytes.AsSpan().ContainsAnyExcept((byte)0))
            .OrderBy(one => IsVirtual(one.Name)).ThenBy(one => one.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        var mac = card?.GetPhysicalAddress().GetAddressBytes() ?? RandomNumberGenerator.GetBytes(6);
        if (card is null)
            mac[0] = (byte)((mac[0] & 0xFE) | 0x02);
        return BitConverter.ToString(mac).Replace('-', ':').ToLowerInvariant();
    }

    private static bool IsVirtual(string name) =>
        name.StartsWith("docker", StringComparison.Ordinal) || name.StartsWith("veth", StringComparison.Ordinal) || name.StartsWith("br-", StringComparison.Ordinal)
        || name.StartsWith("podman", StringComparison.Ordinal);
}
