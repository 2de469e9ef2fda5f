using Xunit.Abstractions;
using Xunit.Sdk;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>A fact that is reported as skipped, with the reason, where the machine lacks what <see cref="NeedsAttribute"/> of its class names.
/// The class that runs decides, so scenarios inherited from a base class are skipped for one engine and run for another.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("EdgeFirmware.Platform.Tests.Engine.NeedsFactDiscoverer", "EdgeFirmware.Platform.Tests")]
public sealed class NeedsFactAttribute : FactAttribute;

public sealed class NeedsFactDiscoverer(IMessageSink diagnostics) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        [new NeedsTestCase(diagnostics, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)];
}

public sealed class NeedsTestCase : XunitTestCase
{
    [Obsolete("For the deserializer")]
    public NeedsTestCase()
    {
    }

    public NeedsTestCase(IMessageSink diagnostics, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(diagnostics, display, options, method)
    {
    }

    protected override string GetSkipReason(IAttributeInfo factAttribute)
    {
        foreach (var attribute in TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute)))
            if (NeedsAttribute.Missing(attribute.GetNamedArgument<string[]>(nameof(NeedsAttribute.Needs))) is { } reason)
                return reason;
        return base.GetSkipReason(factAttribute);
    }
}
