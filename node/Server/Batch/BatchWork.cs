using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Server.Batch;

/// What a batch asks for, wherever its rows lie: in the received buffer or in a copy.
internal readonly ref struct BatchWork(
    ReadOnlySpan<byte> rows, scoped in MessageHeader header, BatchFlags flags, ReadOnlySpan<byte> filter, long started)
{
    /// The condition of all rows that have none of their own; empty: none.
    public readonly ReadOnlySpan<byte> Filter = filter;

    /// The batch field: prologue and rows.
    public readonly ReadOnlySpan<byte> Rows = rows;
    public readonly MessageHeader Header = header;
    public readonly BatchFlags Flags = flags;

    /// Monotonic nanoseconds by which the client wants its answer; 0: it does not say.
    public readonly long Deadline = header.Timeout == 0 ? 0 : started + (header.Timeout * 1_000_000L);

    public bool Compresses => (Header.Info1 & Info1.CompressReply) != 0;

    /// Rows are independent of each other's outcome only if all are to be answered.
    public bool RespondsAllKeys => (Flags & BatchFlags.RespondAllKeys) != 0;

    /// Without "respond all keys" the rows behind the first error are left alone. That a record is not there, or is
    /// filtered out, is an answer and no error.
    public bool Ends(ResultCode rowResult) =>
        rowResult is not (ResultCode.Ok or ResultCode.NotFound or ResultCode.FilteredOut) && !RespondsAllKeys;
}
