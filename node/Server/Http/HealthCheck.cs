using Aerie.Server.Records;

namespace Aerie.Server.Http;

/// Whether the node wants clients. Set by whoever runs the node; asked by the health page.
public sealed class HealthCheck(Namespaces namespaces)
{
    private volatile string? _unready = "starting";

    /// Null when clients are welcome, otherwise the reason why not.
    public string? WhyNotReady => _unready ?? StopWritesReason();

    public void Serving() => _unready = null;

    public void Draining() => _unready = "draining";

    // A namespace that takes no writes still serves reads; only when none takes any is the node no use.
    private string? StopWritesReason() =>
        namespaces.All.Count > 0 && namespaces.All.All(records => records.StopWrites) ? "all namespaces have stopped writes" : null;
}
