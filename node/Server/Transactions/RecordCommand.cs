using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Transactions.Parking;

namespace Aerie.Server.Transactions;

/// Where a command came from. It decides which counters move.
public enum CommandOrigin : byte
{
    Client,
    BatchSub,

    /// A background query: its commands write existing records, nothing else.
    OpsSub,

    /// A background query that calls a function on each record.
    UdfSub,
}

/// A command on one record, whether it came alone or as a row of a batch. Everything lies in the received buffer.
public readonly ref struct RecordCommand
{
    public required Namespace Namespace { get; init; }

    public required Digest Digest { get; init; }

    public Info1 Info1 { get; init; }

    public Info2 Info2 { get; init; }

    public Info3 Info3 { get; init; }

    public byte Info4 { get; init; }

    public uint Generation { get; init; }

    public uint Ttl { get; init; }

    public Fields Fields { get; init; }

    public ReadOnlySpan<byte> OpBytes { get; init; }

    public int OpCount { get; init; }

    public CommandOrigin Origin { get; init; }

    /// Goes into the timeout slot of the reply.
    public uint BatchIndex { get; init; }

    /// Where the command may wait when somebody else owns the record; null: it cannot wait, as the rows of a batch cannot.
    internal ParkedCommands? Parking { get; init; }

    /// The command has waited, and the record is its own now. It lets go in the section of its change.
    internal bool OwnsHold { get; init; }

    /// Where functions run; null: nowhere, as in tests of single transactions.
    internal Udfs.UdfLoop? Udf { get; init; }

    /// Monotonic nanoseconds by which the client wants its answer.
    internal long Deadline { get; init; }

    /// The condition of the whole batch, for rows that have none of their own.
    public ReadOnlySpan<byte> SharedFilter { get; init; }

    public ReadOnlySpan<byte> Filter => Fields.Has(FieldId.Filter) ? Fields.Get(FieldId.Filter) : SharedFilter;

    public bool HasFilter => Fields.Has(FieldId.Filter) || !SharedFilter.IsEmpty;

    public bool CallsFunction => Fields.Has(FieldId.UdfFunction);

    /// It has got into the record's queue: there is nothing to answer yet.
    internal bool Waits => Parking is { HasQueued: true };

    public Ops Ops => new(OpBytes, OpCount);

    public bool IsWrite => (Info2 & Info2.Write) != 0;

    public bool IsDelete => (Info2 & Info2.Delete) != 0;

    public bool Asks(Info1 bit) => (Info1 & bit) != 0;

    public bool Asks(Info2 bit) => (Info2 & bit) != 0;

    public bool Asks(Info3 bit) => (Info3 & bit) != 0;

    /// The counter of this command's origin that corresponds to a client's.
    public NamespaceCounter Counter(NamespaceCounter ofClient) => Origin switch
    {
        CommandOrigin.Client => ofClient,
        CommandOrigin.BatchSub => ofClient - NamespaceCounter.ClientTsvcError + NamespaceCounter.BatchSubTsvcError,
        _ => ofClient - NamespaceCounter.ClientWriteSuccess + NamespaceCounter.OpsSubWriteSuccess,
    };

    /// The same for a call of a function.
    public NamespaceCounter UdfCounter(NamespaceCounter ofClient) => Origin == CommandOrigin.UdfSub
        ? ofClient - NamespaceCounter.ClientUdfComplete + NamespaceCounter.UdfSubUdfComplete
        : Counter(ofClient);
}
