using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;

namespace Aerie.Soak;

/// Where a node's memory is at one moment, in bytes: what its parts say that they hold, and the rest of the process.
internal readonly record struct MemoryParts(long Resident, long Log, long Index, long IndexLive, long ManagedHeap, long Buffers)
{
    public long Other => Resident - Log - Index - ManagedHeap - Buffers;

    public static MemoryParts Of(NodeProgram node, AerieClient client)
    {
        var pairs = InfoText.Pairs(client.Info("aerie-stats"));
        return new MemoryParts(
            node.ResidentBytes,
            InfoText.Sum(pairs, ".data_resident_bytes"),
            InfoText.Sum(pairs, ".index_used_bytes"),
            InfoText.Sum(pairs, ".index_live_bytes"),
            InfoText.Number(pairs, "gc_heap_bytes"),
            InfoText.Sum(pairs, ".buffer_bytes"));
    }

    public override string ToString() =>
        $"{Kib(Resident)} KiB: log {Kib(Log)}, index {Kib(Index)} (live {Kib(IndexLive)}), managed heap {Kib(ManagedHeap)}, "
        + $"buffers {Kib(Buffers)}, other {Kib(Other)}";

    private static long Kib(long bytes) => bytes >> 10;
}
