using Microsoft.AspNetCore.Http;

namespace EdgeFirmware.Firmware.Api;

/// <param name="Pattern">Of segments, each literal text or <c>{name}</c>, which takes one segment that is not empty. A slash at the end of a path
/// makes no difference.</param>
internal sealed record Route(string Method, string Pattern, RequestDelegate Handler)
{
    private readonly string[] _segments = Segments(Pattern);

    public static string[] Segments(string path)
    {
        var from = path.StartsWith('/') ? 1 : 0;
        return path[from..(path.Length > from && path.EndsWith('/') ? path.Length - 1 : path.Length)].Split('/');
    }

    public bool HasParameter => _segments.Any(IsParameter);

    /// <summary>Whether the path is this route's; letters of literal segments are the same in either case.</summary>
    public bool Fits(string[] path)
    {
        if (path.Length != _segments.Length)
            return false;
        for (var i = 0; i < path.Length; i++)
            if (IsParameter(_segments[i]) ? path[i].Length == 0 : !path[i].Equals(_segments[i], StringComparison.OrdinalIgnoreCase))
                return false;
        return true;
    }

    public void Bind(string[] path, HttpRequest request)
    {
        for (var i = 0; i < path.Length; i++)
            if (IsParameter(_segments[i]))
                request.RouteValues[_segments[i][1..^1]] = path[i];
    }

    private static bool IsParameter(string segment) => segment.StartsWith('{');
}

/// <summary>Finds who answers a request. A literal path comes before one with a parameter; else the first that was mapped.</summary>
internal sealed class RouteTable
{
    private readonly List<Route> _routes = [];

    public IReadOnlyList<Route> All => _routes;

    public void MapGet(string pattern, RequestDelegate handler) => _routes.Add(new Route(HttpMethods.Get, pattern, handler));

    public void MapPost(string pattern, RequestDelegate handler) => _routes.Add(new Route(HttpMethods.Post, pattern, handler));

    public void MapPut(string pattern, RequestDelegate handler) => _routes.Add(new Route(HttpMethods.Put, pattern, handler));

    public void MapPatch(string pattern, RequestDelegate handler) => _routes.Add(new Route(HttpMethods.Patch, pattern, handler));

    public void MapDelete(string pattern, RequestDelegate handler) => _routes.Add(new Route(HttpMethods.Delete, pattern, handler));

    /// <summary>An unknown path is 404, a known one with another method 405 with <c>Allow</c> (RFC 9110, section 15.5.6); the body is left to
    /// whoever called.</summary>
    public Task ServeAsync(HttpContext context)
    {
        var path = Route.Segments(context.Request.Path.Value ?? "");
        var fitting = _routes.FindAll(route => route.Fits(path));
        var asked = fitting.FindAll(route => HttpMethods.Equals(route.Method, context.Request.Method));
        if ((asked.Find(route => !route.HasParameter) ?? asked.FirstOrDefault()) is { } found)
        {
            found.Bind(path, context.Request);
            return found.Handler(context);
        }
        context.Response.StatusCode = fitting.Count > 0 ? StatusCodes.Status405MethodNotAllowed : StatusCodes.Status404NotFound;
        if (fitting.Count > 0)
            context.Response.Headers.Allow = string.Join(", ", fitting.Select(route => route.Method));
        return Task.CompletedTask;
    }
}
