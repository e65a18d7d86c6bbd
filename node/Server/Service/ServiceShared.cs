using Aerie.Foundation;
using Aerie.Lua;
using Aerie.Server.Batch;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Metrics;
using Aerie.Server.Query;
using Aerie.Server.Records;

namespace Aerie.Server.Service;

/// What the loops of one node have in common.
public sealed class ServiceShared
{
    private readonly int[] _openPerPort = new int[Enum.GetValues<PortKind>().Length];
    private volatile ServiceLoop[] _loops = [];
    private int _open;

    public required IClock Clock { get; init; }

    public required LastUpdateClock LastUpdateClock { get; init; }

    public required Namespaces Namespaces { get; init; }

    public required StripedCounters<NodeCounter> Counters { get; init; }

    public required BatchShared Batches { get; init; }

    public required QueryShared Queries { get; init; }

    public required ServiceEvents Events { get; init; }

    public required IInfoAnswers Info { get; init; }

    /// Null: the operator has switched functions off.
    public IUdfEngine? Udfs { get; init; }

    public required Func<ServiceOptions> CurrentOptions { get; init; }

    /// What the system's limit of open files leaves for connections of all ports. The process must never use up its
    /// descriptors: the runtime needs some at any moment, to load a library for instance, and dies without.
    public required int DescriptorsForConnections { get; init; }

    public ServiceOptions Options => CurrentOptions();

    public IReadOnlyList<ServiceLoop> Loops => _loops;

    public void Use(IEnumerable<ServiceLoop> loops)
    {
        _loops = [.. loops];
        Batches.Use(_loops.Select(loop => loop.Batches));
        foreach (var records in Namespaces.All)
        {
            records.FlushSignal.RoundOver = TellFlushed;
            records.TellWaiter = woken => _loops[woken.Waiter.Loop].Post(loop => loop.Resume(woken));
        }
    }

    // A loop where nobody waits is left alone.
    private void TellFlushed()
    {
        foreach (var loop in _loops)
        {
            if (loop.Commits.Waits.Any)
            {
                loop.Post(static told => told.Commits.Waits.WakeAll());
            }
        }
    }

    public int OpenConnections(PortKind port) => Volatile.Read(ref _openPerPort[(int)port]);

    /// Admin connections have a small limit of their own, so that an operator gets in when clients have used up theirs.
    public bool TryAdmit(PortKind port)
    {
        var limit = port == PortKind.Admin ? AdminConnectionsMax : Options.ProtoFdMax;
        var isWithinPort = Interlocked.Increment(ref _openPerPort[(int)port]) <= limit;
        var isWithinSystem = Interlocked.Increment(ref _open) <= DescriptorsForConnections;
        if (isWithinPort && isWithinSystem)
        {
            return true;
        }

        Released(port);
        Events.ConnectionRefused(
            isWithinPort ? DescriptorsForConnections : limit,
            !isWithinPort ? "proto-fd-max" : "the system's limit of open files (ulimit -n)");
        return false;
    }

    /// The reference's limit.
    public const int AdminConnectionsMax = 100;

    public void Released(PortKind port)
    {
        Interlocked.Decrement(ref _openPerPort[(int)port]);
        Interlocked.Decrement(ref _open);
    }

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
