using System.Net;
using System.Net.Sockets;
using Aerie.Server.Config;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ListenOptions = Aerie.Server.Config.ListenOptions;

namespace Aerie.Server.Http;

/// Answers Prometheus and the orchestrator's probes on a port of its own: /metrics, /health/live, /health/ready, and nothing
/// else. Bare Kestrel without a host: no files, no environment and no signals are looked at, and the data path never meets it.
public sealed class MetricsServer : IHttpApplication<HttpContext>, IDisposable
{
    private const int ConnectionsMax = 64;

    private readonly PrometheusText _metrics;
    private readonly HealthCheck _health;
    private readonly SocketTransportOptions _transport = new() { IOQueueCount = 1 };
    private readonly KestrelServer _server;

    /// Throws IOException when a host's name is unknown.
    public MetricsServer(ListenOptions options, PrometheusText metrics, HealthCheck health)
    {
        _metrics = metrics;
        _health = health;
        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        foreach (var host in options.Addresses is { Length: > 0 } given ? given : ["any"])
        {
            Listen(kestrel, host, options.Port);
        }

        _server = new KestrelServer(
            Options.Create(kestrel),
            new SocketTransportFactory(Options.Create(_transport), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
    }

    /// `http://address:port` of each listener, once started.
    public IReadOnlyCollection<string> Addresses => [.. _server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    /// Throws IOException with one clear line when a port cannot be had.
    public void Start()
    {
        try
        {
            _server.StartAsync(this, CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (Exception problem) when (problem is IOException or SocketException)
        {
            throw new IOException($"cannot open the metrics port: {problem.Message}", problem);
        }
    }

    /// Requests in progress may finish within a second.
    public void Dispose()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        _server.StopAsync(limit.Token).GetAwaiter().GetResult();
        _server.Dispose();
    }

    HttpContext IHttpApplication<HttpContext>.CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
    }

    Task IHttpApplication<HttpContext>.ProcessRequestAsync(HttpContext context)
    {
        if (context.Request.Method is not ("GET" or "HEAD"))
        {
            return Answer(context, StatusCodes.Status405MethodNotAllowed, "only GET\n");
        }

        switch (context.Request.Path.Value)
        {
            case "/metrics":
                return Answer(context, StatusCodes.Status200OK, _metrics.Write(), PrometheusText.ContentType);
            case "/health/live":
                return Answer(context, StatusCodes.Status200OK, "ok\n");
            case "/health/ready":
                return _health.WhyNotReady is { } reason
                    ? Answer(context, StatusCodes.Status503ServiceUnavailable, $"not ready: {reason}\n")
                    : Answer(context, StatusCodes.Status200OK, "ok\n");
            default:
                return Answer(context, StatusCodes.Status404NotFound, "there are /metrics, /health/live and /health/ready\n");
        }
    }

    private static Task Answer(HttpContext context, int status, string text, string type = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        context.Response.ContentLength = bytes.Length;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes, 0, bytes.Length);
    }

    private static void Listen(KestrelServerOptions kestrel, string host, int port)
    {
        if (host is "any")
        {
            kestrel.ListenAnyIP(port);
        }
        else if (IPAddress.TryParse(host, out var address))
        {
            kestrel.Listen(address, port);
        }
        else
        {
            foreach (var named in Resolve(host))
            {
                kestrel.Listen(named, port);
            }
        }
    }

    private static IPAddress[] Resolve(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host);
        }
        catch (Exception unresolved) when (unresolved is SocketException or ArgumentException)
        {
            throw new IOException($"cannot open the metrics port on {host}: {unresolved.Message}", unresolved);
        }
    }
}
