using EdgeFirmware.Lab.Sites;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>A test that needs the lab: skipped, with the reason in the output, where it cannot be built.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LabFactAttribute : FactAttribute
{
    public LabFactAttribute()
    {
        if (Requirements.Missing() is { } reason)
            Skip = reason;
    }
}
