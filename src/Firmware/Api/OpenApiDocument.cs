namespace EdgeFirmware.Firmware.Api;

/// <summary>The API's description, embedded at build time from <c>openapi.json</c>.</summary>
internal static class OpenApiDocument
{
    public static string Text
    {
        get
        {
            using var stream = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.json")!;
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd();
        }
    }
}
