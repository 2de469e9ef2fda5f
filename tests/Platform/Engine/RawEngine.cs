using System.Formats.Tar;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>What tests need of the engine and the firmware does not: importing a root filesystem, committing, looking at everything.</summary>
public sealed class RawEngine : IDisposable
{
    private readonly HttpClient _http;

    public RawEngine(string socket)
    {
#pragma warning disable CA2000 // The client owns the handler.
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
                return new NetworkStream(connection, ownsSocket: true);
            },
        };
#pragma warning restore CA2000
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://engine/v1.41/") };
    }

    public void Dispose() => _http.Dispose();

    public async Task<JsonElement> GetAsync(string path)
    {
        using var document = JsonDocument.Parse(await _http.GetStringAsync(path));
        return document.RootElement.Clone();
    }

    public async Task<JsonElement> PostAsync(string path, HttpContent? body = null)
    {
        using var answer = await _http.PostAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        using var document = JsonDocument.Parse(text.Length == 0 ? "{}" : text.Split('\n')[^1].Length > 0 ? text.Split('\n')[^1] : text.Split('\n')[0]);
        return document.RootElement.Clone();
    }

    /// <summary>An image with one layer: busybox, and <paramref name="extra"/> as <c>/extra</c> to make it differ. Podman ignores the
    /// <c>tag</c> parameter here, so the tag is part of the name.</summary>
    public async Task ImportBusyboxAsync(string repository, string extra = "")
    {
        var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var directory in (string[])["bin", "etc", "tmp", "data"])
                await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.Directory, directory) { Mode = (UnixFileMode)0b111_101_101 });
            await using (var busybox = File.OpenRead(NeedsAttribute.Find("busybox")!))
                await writer.WriteEntryAsync(
                    new UstarTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = (UnixFileMode)0b111_101_101, DataStream = busybox });
            foreach (var applet in (string[])["sh", "sleep", "echo", "cat", "true", "dd", "id", "stat", "kill", "head"])
                await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.SymbolicLink, $"bin/{applet}") { LinkName = "busybox" });
            await writer.WriteEntryAsync(
                new UstarTarEntry(TarEntryType.RegularFile, "extra") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(extra)) });
        }
        tar.Position = 0;
        using var body = new StreamContent(tar);
        body.Headers.ContentType = new("application/x-tar");
        await PostAsync($"images/create?fromSrc=-&repo={repository}:1", body);
    }

    /// <summary>Another layer on top: runs <paramref name="script"/> in the image and commits the result.</summary>
    public async Task CommitAsync(RunningEngine engine, string image, string script, string repository)
    {
        var name = $"build-{Guid.NewGuid():N}";
        var id = await engine.Adapter.CreateContainerAsync(Definitions.Of(engine, name, image, "sh", "-c", script), default);
        await engine.Adapter.StartContainerAsync(id, default);
        await PostAsync($"containers/{id}/wait");
        // Podman wants a body where Docker does without.
        using var configuration = new StringContent("{}", Encoding.UTF8, "application/json");
        await PostAsync($"commit?container={id}&repo={repository}&tag=1", configuration);
        await engine.Adapter.RemoveContainerAsync(id, default);
    }

    public async Task PushAsync(string repository)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"images/{repository}/push?tag=1");
        request.Headers.Add("X-Registry-Auth", Convert.ToBase64String("{}"u8));
        using var answer = await _http.SendAsync(request);
        Assert.DoesNotContain("error", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    public async Task RemoveAllContainersAsync()
    {
        foreach (var container in (await GetAsync("containers/json?all=1")).EnumerateArray())
            (await _http.DeleteAsync($"containers/{container.GetProperty("Id").GetString()}?force=1&v=1")).Dispose();
    }
}
