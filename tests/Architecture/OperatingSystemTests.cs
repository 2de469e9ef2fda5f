using System.Text.RegularExpressions;

namespace EdgeFirmware.Architecture;

/// <summary>Platform is the only place that knows Linux; Mqtt owns its sockets and may call the kernel for them.</summary>
public sealed partial class OperatingSystemTests
{
    public static TheoryData<string> OutsidePlatform => [.. Repository.Projects.Select(project => project.Name).Where(name => name != "Platform")];

    [Theory]
    [MemberData(nameof(OutsidePlatform))]
    public void Only_Platform_and_Mqtt_call_native_code(string name)
    {
        if (name == "Mqtt")
            return;
        Assert.Empty(Repository.Project(name).Files.Where(file => NativeCall().IsMatch(file.Code)).Select(file => file.Path));
    }

    [Theory]
    [MemberData(nameof(OutsidePlatform))]
    public void Only_Platform_names_paths_of_the_kernel(string name)
    {
        var found = from file in Repository.Project(name).Files
                    from literal in file.Literals
                    where KernelPath().IsMatch(literal)
                    select $"{file.Path}: \"{literal}\"";
        Assert.Empty(found);
    }

    [GeneratedRegex(@"\b(LibraryImport|DllImport|NativeLibrary)\b")]
    private static partial Regex NativeCall();

    [GeneratedRegex(@"(^|[^\w])/(proc|sys)(/|$)")]
    private static partial Regex KernelPath();
}
