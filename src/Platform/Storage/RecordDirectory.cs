using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Storage;

/// <summary>Workload records as one JSON file each, replaced atomically.</summary>
public sealed class RecordDirectory(string directory, ILogger log) : IRecordStore
{
    public IReadOnlyList<WorkloadRecord> Load()
    {
        try
        {
            Directory.CreateDirectory(directory);
            var records = new List<WorkloadRecord>();
            foreach (var path in Directory.EnumerateFiles(directory, "*.json"))
                if (Read(path) is { } record)
                    records.Add(record);
            return records;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{directory}: {error.Message}", error);
        }
    }

    public Task SaveAsync(WorkloadRecord record, CancellationToken cancel) =>
        AtomicFile.WriteAsync(
            PathOf(record.Id), JsonSerializer.SerializeToUtf8Bytes(record, StorageJson.Default.WorkloadRecord), cancel);

    public Task ForgetAsync(WorkloadId workload, CancellationToken cancel)
    {
        AtomicFile.Remove(PathOf(workload));
        return Task.CompletedTask;
    }

    public bool LoadDraining() => File.Exists(DrainingPath);

    public async Task SaveDrainingAsync(bool draining, CancellationToken cancel)
    {
        if (draining)
            await AtomicFile.WriteAsync(DrainingPath, default, cancel);
        else
            AtomicFile.Remove(DrainingPath);
    }

    /// <summary>No record's file: those end with <c>.json</c>.</summary>
    private string DrainingPath => Path.Combine(directory, "draining");

    private string PathOf(WorkloadId workload) => Path.Combine(directory, workload.Value + ".json");

    private WorkloadRecord? Read(string path)
    {
        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(path), StorageJson.Default.WorkloadRecord);
            return record is { Spec: not null, Why: not null, Epoch: >= 0 } && record.Spec.Faults().Count == 0 && record.Owner.Value.Length > 0
                ? record
                : throw new JsonException("it is no workload record");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            // Another node may still know it; the file is kept for a person to look at.
            PlatformLog.FileUnreadable(log, path, error.Message);
            SetAside(path);
            return null;
        }
    }

    private static void SetAside(string path)
    {
        try
        {
            File.Move(path, path + ".unreadable", overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A medium that neither reads nor writes: the node runs on with what it has.
        }
    }
}
