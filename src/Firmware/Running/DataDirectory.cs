using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Firmware.Running;

/// <summary>The node's data directory, held by one process at a time.</summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly FileStream _lock;

    private DataDirectory(FileStream held) => _lock = held;

    /// <exception cref="StorageException">It cannot be made, or another node uses it.</exception>
    public static DataDirectory Hold(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // FileShare.None is an advisory lock (flock(2)) that ends with the process, however it ends.
            return new DataDirectory(new FileStream(Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var why = error is IOException && File.Exists(Path.Combine(path, "lock")) ? "another node uses it, or it cannot be written" : error.Message;
            throw new StorageException($"{path}: {why}", error);
        }
    }

    public void Dispose() => _lock.Dispose();
}
