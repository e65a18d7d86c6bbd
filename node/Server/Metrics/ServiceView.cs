using Aerie.Io;
using Aerie.Server.Service;

namespace Aerie.Server.Metrics;

/// What statistics see of the event loops. Delegates, because the loops are made after everything that reports on them.
public sealed record ServiceView(Func<PortKind, int> OpenConnections, Func<IReadOnlyList<LoopFigures>> Loops)
{
    public static ServiceView Of(Func<ServiceShared?> shared) => new(
        port => shared()?.OpenConnections(port) ?? 0,
        () => [.. (shared()?.Loops ?? []).Select(loop =>
            new LoopFigures(loop.Number, loop.OpenConnections, loop.IoCounters, loop.Buffers.Outstanding, loop.Buffers.BytesHeld))]);
}

/// Read while the loop runs: each figure is true, together they may be of slightly different moments.
public readonly record struct LoopFigures(int Number, int Connections, IoCounters Io, int BuffersLent, long BufferBytes);
