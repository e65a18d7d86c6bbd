using Aerie.Io;
using Aerie.Server.Config;
using Aerie.Server.Metrics;

namespace Aerie.Server.Statistics;

/// What statistics see of the event loops. Delegates, because the loops are made after everything that reports on them.
public sealed record ServiceView(Func<PortKind, int> OpenConnections, Func<IReadOnlyList<LoopFigures>> Loops);

/// Read while the loop runs: each figure is true, together they may be of slightly different moments.
public readonly record struct LoopFigures(int Number, int Connections, IoCounters Io, int BuffersLent, long BufferBytes);
