using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>Reads a small JSON file of the data directory.</summary>
internal static class StoredFile
{
    /// <exception cref="StorageException">It cannot be read, or is not what it should be.</exception>
    public static async Task<T> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(await File.ReadAllBytesAsync(path, cancel), type)
                ?? throw new StorageException($"{path}: empty; remove it to have it made anew");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new StorageException($"{path}: {error.Message}", error);
        }
    }
}
