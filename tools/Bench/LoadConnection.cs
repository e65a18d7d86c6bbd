using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.Tools.Bench;

/// One connection of a load loop, with the times from which its requests in flight are measured, oldest first.
internal sealed class LoadConnection(int pipeline, RequestTemplate? scan)
{
    private readonly long[] _starts = new long[pipeline];
    private int _oldest;

    /// Mutable state of a struct: kept as a field so that it is not copied.
    public ReplyScanner Scanner;

    public ConnectionId Id { get; set; }

    public int InFlight { get; private set; }

    /// The share of the query that this connection repeats; null for other workloads.
    public RequestTemplate? Scan { get; } = scan;

    public void Begin(long start)
    {
        Invariant.Holds(InFlight < _starts.Length);
        _starts[(_oldest + InFlight) % _starts.Length] = start;
        InFlight++;
    }

    public long End()
    {
        var start = _starts[_oldest];
        _oldest = (_oldest + 1) % _starts.Length;
        InFlight--;
        return start;
    }

    /// A new socket takes the place of a broken one.
    public void Reset(ConnectionId id)
    {
        Id = id;
        InFlight = 0;
        Scanner = default;
    }
}
