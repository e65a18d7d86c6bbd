using Aerie.Foundation;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Query;
using Aerie.Server.Records;

namespace Aerie.Server.Service;

/// What the loops of one node have in common.
public sealed class ServiceShared
{
    private readonly int[] _openPerPort = new int[Enum.GetValues<PortKind>().Length];
    private volatile ServiceLoop[] _loops = [];

    public required IClock Clock { get; init; }

    public required LastUpdateClock LastUpdateClock { get; init; }

    public required Namespaces Namespaces { get; init; }

    public required StripedCounters<NodeCounter> Counters { get; init; }

    /// Whole batches; what their rows take is told by namespace.
    public required LatencyHistogram BatchIndexLatency { get; init; }

    /// Queries that run or ran lately.
    public required QueryRegistry Queries { get; init; }

    public required ServiceEvents Events { get; init; }

    public required IInfoAnswers Info { get; init; }

    public required Func<ServiceOptions> CurrentOptions { get; init; }

    public ServiceOptions Options => CurrentOptions();

    public IReadOnlyList<ServiceLoop> Loops => _loops;

    public void Use(IEnumerable<ServiceLoop> loops) => _loops = [.. loops];

    public int OpenConnections(PortKind port) => Volatile.Read(ref _openPerPort[(int)port]);

    /// Admin connections have a small limit of their own, so that an operator gets in when clients have used up theirs.
    public bool TryAdmit(PortKind port)
    {
        var limit = port == PortKind.Admin ? AdminConnectionsMax : Options.ProtoFdMax;
        if (Interlocked.Increment(ref _openPerPort[(int)port]) <= limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _openPerPort[(int)port]);
        Events.ConnectionRefused(limit);
        return false;
    }

    /// The reference's limit.
    public const int AdminConnectionsMax = 100;

    public void Released(PortKind port) => Interlocked.Decrement(ref _openPerPort[(int)port]);

    public ServiceLoop LeastLoaded()
    {
        var loops = _loops;
        var best = loops[0];
        foreach (var loop in loops)
        {
            best = loop.Load < best.Load ? loop : best;
        }

        return best;
    }
}

/// Answers info requests; the text in front of the tab is repeated in the reply.
public interface IInfoAnswers
{
    /// Appends `request TAB answer NEWLINE` for every line of the request, or the summary when it is empty.
    void Answer(ReadOnlySpan<byte> request, PortKind port, System.Buffers.IBufferWriter<byte> reply);
}
