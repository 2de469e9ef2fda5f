namespace EdgeFirmware.Architecture;

public sealed class SourceFileTests
{
    [Theory]
    [InlineData("a // class XManager\nb", "a \nb")]
    [InlineData("a /* x\ny */ b", "a \n b")]
    [InlineData("f('\"') + \"t//u\"", "f() + \"\"")]
    [InlineData("f('\\'', \"\\\"x\")", "f(, \"\")")]
    [InlineData("@\"a\"\"b\" c", "@\"\" c")]
    [InlineData("\"\"\"\n a \"q\" b\n\"\"\" c", "\"\n\n\" c")]
    public void Comments_and_literals_are_no_code(string text, string code) =>
        Assert.Equal(code, SourceFile.Split(text).Code);

    [Fact]
    public void Literals_are_kept_apart() =>
        Assert.Equal(["/proc/stat", "", "a \"q\" b"], SourceFile.Split("x(\"/proc/stat\", \"\", \"\"\"a \"q\" b\"\"\") // \"no\"").Literals);
}
