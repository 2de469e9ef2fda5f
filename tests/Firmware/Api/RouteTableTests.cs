using EdgeFirmware.Firmware.Api;
using Microsoft.AspNetCore.Http;

namespace EdgeFirmware.Firmware.Tests.Api;

public sealed class RouteTableTests
{
    private readonly RouteTable _routes = new();
    private string _answered = "";

    public RouteTableTests()
    {
        _routes.MapGet("/", _ => Answer("root"));
        _routes.MapGet("/things", _ => Answer("all"));
        _routes.MapGet("/things/{name}", context => Answer($"one {context.Request.RouteValues["name"]}"));
        _routes.MapDelete("/things/{name}", context => Answer($"gone {context.Request.RouteValues["name"]}"));
        _routes.MapGet("/things/{name}/logs", context => Answer($"logs {context.Request.RouteValues["name"]}"));
        _routes.MapGet("/things/newest", _ => Answer("newest"));
    }

    [Theory]
    [InlineData("GET", "/", "root")]
    [InlineData("GET", "/things", "all")]
    [InlineData("GET", "/things/", "all")]
    [InlineData("get", "/THINGS/Box", "one Box")]
    [InlineData("GET", "/things/{name}", "one {name}")]
    [InlineData("GET", "/things/a b%2Fc", "one a b%2Fc")]
    [InlineData("GET", "/things/newest", "newest")]
    [InlineData("DELETE", "/things/box", "gone box")]
    [InlineData("GET", "/things/box/logs", "logs box")]
    public async Task A_path_finds_its_handler(string method, string path, string answer)
    {
        var context = await AskAsync(method, path);
        Assert.Equal(answer, _answered);
        Assert.Equal(200, context.Response.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/thing")]
    [InlineData("GET", "/things//")]
    [InlineData("GET", "//things")]
    [InlineData("GET", "/things//logs")]
    [InlineData("GET", "/things/box/logs/today")]
    public async Task A_path_nobody_mapped_is_not_found(string method, string path)
    {
        var context = await AskAsync(method, path);
        Assert.Equal("", _answered);
        Assert.Equal(404, context.Response.StatusCode);
    }

    [Fact]
    public async Task Another_method_is_told_which_ones_there_are()
    {
        var context = await AskAsync("PUT", "/things/box");
        Assert.Equal("", _answered);
        Assert.Equal(405, context.Response.StatusCode);
        Assert.Equal("GET, DELETE", context.Response.Headers.Allow);
    }

    private async Task<HttpContext> AskAsync(string method, string path)
    {
        var context = new DefaultHttpContext { Request = { Method = method, Path = path } };
        await _routes.ServeAsync(context);
        return context;
    }

    private Task Answer(string said)
    {
        _answered = said;
        return Task.CompletedTask;
    }
}
