using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// The record that an expression is evaluated on, as whoever holds it can show it. In the metadata phase only SetName, Digest,
/// the times and IsTombstone are asked for: they come from the index, and the record need not have been read.
public interface IRecordView
{
    ReadOnlySpan<byte> SetName { get; }

    Digest Digest { get; }

    /// Unix milliseconds.
    long LastUpdateTime { get; }

    /// Seconds since 2010; zero: never expires.
    uint VoidTime { get; }

    bool IsTombstone { get; }

    /// The date, in Unix milliseconds: one moment for the whole request.
    long Now { get; }

    /// The key as the client gave it, with its particle type; type Null where none was stored.
    BinValue Key { get; }

    /// Bytes that the record takes, uncompressed.
    long RecordSize { get; }

    bool TryBin(scoped ReadOnlySpan<byte> name, out BinValue value);
}
