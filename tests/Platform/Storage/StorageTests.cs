using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Platform.Storage;
using EdgeFirmware.Platform.Tests.Engine;
using EdgeFirmware.Platform.Tests.Peers;

namespace EdgeFirmware.Platform.Tests.Storage;

public sealed class StorageTests : IDisposable
{
    private static readonly NodeId Node = NodeId.Parse("gate/02:00:00:00:00:01");
    private readonly string _directory = Directory.CreateTempSubdirectory("edge-storage-").FullName;
    private readonly RecordingLog _log = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Content_is_replaced_whole_and_readable_by_its_owner_only()
    {
        var path = Path.Combine(_directory, "one");
        await WriteAsync(path, "the first and longer content");
        await WriteAsync(path, "second");
        Assert.Equal("second", await File.ReadAllTextAsync(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal([path], Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_a_storage_fault_that_names_the_file()
    {
        var error = await Assert.ThrowsAsync<StorageException>(() => WriteAsync(Path.Combine(_directory, "none", "one"), "x"));
        Assert.Contains(Path.Combine(_directory, "none", "one"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_is_cancelled_leaves_the_old_content_and_no_litter()
    {
        var path = Path.Combine(_directory, "one");
        await WriteAsync(path, "old");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AtomicFile.WriteAsync(path, new byte[10], new CancellationToken(canceled: true)));
        Assert.Equal("old", await File.ReadAllTextAsync(path));
        Assert.Equal([path], Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task Records_come_back_as_they_were_saved()
    {
        var store = new RecordDirectory(_directory, _log);
        Assert.Empty(store.Load());
        var one = Record("one") with { State = WorkloadState.HandingOver, HandedTo = Node };
        await store.SaveAsync(one, CancellationToken.None);
        await store.SaveAsync(Record("two"), CancellationToken.None);
        await store.SaveAsync(Record("two") with { Epoch = 9 }, CancellationToken.None);
        var loaded = new RecordDirectory(_directory, _log).Load().OrderBy(record => record.Id).ToList();
        Assert.Equal(["demo-one", "demo-two"], loaded.Select(record => record.Id.Value));
        Assert.Equal((WorkloadState.HandingOver, Node, 9L), (loaded[0].State, loaded[0].HandedTo!.Value, loaded[1].Epoch));
        Assert.Equal(one.Spec.Volumes, loaded[0].Spec.Volumes);
        await store.ForgetAsync(one.Id, CancellationToken.None);
        await store.ForgetAsync(one.Id, CancellationToken.None);
        Assert.Equal(["demo-two"], store.Load().Select(record => record.Id.Value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"spec\":null}")]
    [InlineData("{\"spec\":{\"user\":\"de mo\",\"name\":\"x\",\"image\":\"i\"},\"epoch\":1,\"revision\":0,\"owner\":\"gate/02:00:00:00:00:01\",\"origin\":\"gate/02:00:00:00:00:01\",\"state\":\"Running\",\"why\":\"\"}")]
    [InlineData("{\"spec\":{\"user\":\"demo\",\"name\":\"x\",\"image\":\"i\"},\"epoch\":1}")]
    [InlineData("{\"spec\":{\"user\":\"demo\"")]
    public async Task A_file_that_is_no_record_is_set_aside_and_reported_and_the_rest_is_loaded(string content)
    {
        var store = new RecordDirectory(_directory, _log);
        store.Load();
        await store.SaveAsync(Record("good"), CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(_directory, "demo-bad.json"), content);
        Assert.Equal(["demo-good"], store.Load().Select(record => record.Id.Value));
        Assert.Contains("demo-bad.json cannot be read and is set aside", Assert.Single(_log.Lines), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_directory, "demo-bad.json.unreadable")));
        Assert.Single(store.Load());
        Assert.Single(_log.Lines);
    }

    private static Task WriteAsync(string path, string text) => AtomicFile.WriteAsync(path, Encoding.UTF8.GetBytes(text), CancellationToken.None);

    private static WorkloadRecord Record(string name) => new(
        new WorkloadSpec { User = "demo", Name = name, Image = "i", Volumes = new Dictionary<string, string> { ["data"] = "/data" } },
        1, 0, Node, Node, WorkloadState.Running, null, "test");
}

[Needs("root")]
public sealed class FullDiskTests
{
    [NeedsFact]
    public async Task A_full_disk_keeps_the_old_content_and_no_litter()
    {
        using var disk = new TinyDisk(kibibytes: 64);
        var path = Path.Combine(disk.Path, "one");
        await AtomicFile.WriteAsync(path, "old"u8.ToArray(), CancellationToken.None);
        var error = await Assert.ThrowsAsync<StorageException>(() => AtomicFile.WriteAsync(path, new byte[200_000], CancellationToken.None));
        Assert.Contains("space", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("old", await File.ReadAllTextAsync(path));
        Assert.Equal([path], Directory.GetFiles(disk.Path));
        await AtomicFile.WriteAsync(path, "new"u8.ToArray(), CancellationToken.None);
        Assert.Equal("new", await File.ReadAllTextAsync(path));
    }
}
