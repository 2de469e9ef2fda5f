using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Platform.Storage;

/// <summary>Replaces a file so that after a power cut at any instant either the old or the new content is there, whole: write beside it,
/// fsync, rename, fsync the directory (rename(2), fsync(2)).</summary>
public static class AtomicFile
{
    /// <summary>Returns once the content is on the disk. Throws <see cref="StorageException"/>; the old content is then untouched.</summary>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancel)
    {
        var beside = path + ".new";
        try
        {
            using (var file = File.OpenHandle(beside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                await RandomAccess.WriteAsync(file, content, 0, cancel);
                RandomAccess.FlushToDisk(file);
            }
            File.Move(beside, path, overwrite: true);
            using var directory = DirectorySync.Open(Path.GetDirectoryName(path)!);
            DirectorySync.Flush(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TryRemove(beside);
            throw new StorageException($"{path}: {error.Message}", error);
        }
        catch (OperationCanceledException)
        {
            TryRemove(beside);
            throw;
        }
    }

    /// <summary>Returns once the file is gone for good; also when there was none. Throws <see cref="StorageException"/>.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
            using var directory = DirectorySync.Open(Path.GetDirectoryName(path)!);
            DirectorySync.Flush(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{path}: {error.Message}", error);
        }
    }

    private static void TryRemove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It is overwritten by the next write; what matters is the fault already on its way.
        }
    }
}
