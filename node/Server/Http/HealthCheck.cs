using Aerie.Foundation;
using Aerie.Server.Records;
using Aerie.Server.Records.Restart;

namespace Aerie.Server.Http;

/// Whether the node wants clients. Set by whoever runs the node; asked by the health page.
public sealed class HealthCheck(Namespaces namespaces, IClock clock)
{
    private volatile string? _unready = "starting";
    private volatile RestartProgress? _restarting;

    /// Null when clients are welcome, otherwise the reason why not.
    public string? WhyNotReady => _restarting is { } progress ? progress.Line(clock.MonotonicNanoseconds) : _unready ?? StopWritesReason();

    /// The node reads what its devices hold.
    internal void Restarting(RestartProgress progress) => _restarting = progress;

    public void Serving()
    {
        _restarting = null;
        _unready = null;
    }

    public void Draining() => _unready = "draining";

    // A namespace that takes no writes still serves reads; only when none takes any is the node no use.
    private string? StopWritesReason() =>
        namespaces.All.Count > 0 && namespaces.All.All(records => records.StopWrites) ? "all namespaces have stopped writes" : null;
}
