namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>What a test class needs of the machine it runs on: <c>root</c>, or the name of a program.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsAttribute(params string[] needs) : Attribute
{
    public string[] Needs { get; } = needs;

    /// <returns>Why the tests cannot run here, or <c>null</c>.</returns>
    public static string? Missing(IEnumerable<string> needs)
    {
        foreach (var need in needs)
        {
            if (need == "root" && !Environment.IsPrivilegedProcess)
                return "needs root";
            if (need != "root" && Find(need) is null)
                return $"needs {need}, which is not installed";
        }
        return null;
    }

    public static string? Find(string program)
    {
        var directories = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':');
        return Array.Find(Array.ConvertAll(directories, directory => Path.Combine(directory, program)), File.Exists);
    }
}
