namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>What tells that a file has changed, also when it is a link that now leads elsewhere.</summary>
internal readonly record struct FileStamp(string Target, DateTime WrittenAt, long Bytes)
{
    /// <summary>A file that is not there has a stamp too, other than those of files.</summary>
    public static FileStamp Of(string? path)
    {
        if (path is null) return default;
        try
        {
            var file = new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);
            return file.Exists ? new FileStamp(file.FullName, file.LastWriteTimeUtc, file.Length) : default;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }
}
