using System.Text;

namespace Aerie.Server.Query;

public enum QueryOutcome : byte
{
    Active,
    Ok,
    UserAborted,

    /// The client went away.
    ResponseError,

    /// The client took nothing for longer than its socket timeout.
    ResponseTimeout,

    /// The node stops.
    Abandoned,
}

/// What the operator sees of a query (`query-show`). Written by the query's loop, read by any thread; the numbers of one
/// look need not belong to the same instant.
public sealed class QueryStatus
{
    private long _records;
    private long _failed;
    private long _bytes;
    private int _partitionsDone;
    private long _finished;
    private volatile QueryOutcome _outcome;
    private volatile bool _isAbortAsked;

    /// The client's number for the query (trid).
    public required ulong Id { get; init; }

    /// Write operations that no client waits for.
    public bool IsBackground { get; init; }

    /// Its work is a function that users registered.
    public bool CallsFunction { get; init; }

    public required string Namespace { get; init; }

    /// Empty: all sets.
    public required string Set { get; init; }

    public required string From { get; init; }

    public required uint RecordsPerSecond { get; init; }

    public required uint SocketTimeout { get; init; }

    public required int PartitionsRequested { get; init; }

    /// Monotonic nanoseconds.
    public required long Started { get; init; }

    public QueryOutcome Outcome => _outcome;

    public bool IsActive => _outcome == QueryOutcome.Active;

    public long RecordsSucceeded => Volatile.Read(ref _records);

    public long RecordsFailed => Volatile.Read(ref _failed);

    /// The value of `job-type`.
    public string TypeText => CallsFunction ? "background-udf" : IsBackground ? "background-ops" : "basic";

    /// Bytes of replies, before compression of the connection's frames was sent or not.
    public long NetIoBytes => Volatile.Read(ref _bytes);

    public int PartitionsDone => Volatile.Read(ref _partitionsDone);

    /// Percent of the partitions.
    public double Progress => PartitionsRequested == 0 ? 100 : PartitionsDone * 100.0 / PartitionsRequested;

    /// The value of `status`.
    public string StatusText => _outcome switch
    {
        QueryOutcome.Active => "active(ok)",
        QueryOutcome.Ok => "done(ok)",
        QueryOutcome.UserAborted => "done(user-aborted)",
        QueryOutcome.ResponseError => "done(abandoned-response-error)",
        QueryOutcome.ResponseTimeout => "done(abandoned-response-timeout)",
        _ => "done(abandoned-unknown)",
    };

    public bool IsAbortAsked => _isAbortAsked;

    /// Nanoseconds that it ran, or has run so far.
    public long RunTime(long now) => (IsActive ? now : Volatile.Read(ref _finished)) - Started;

    /// Nanoseconds since it ended; 0 while it runs.
    public long SinceDone(long now) => IsActive ? 0 : now - Volatile.Read(ref _finished);

    /// The query ends at its next step.
    internal void AskAbort() => _isAbortAsked = true;

    internal void Advance(long records, long bytes, int partitionsDone)
    {
        Volatile.Write(ref _records, records);
        Volatile.Write(ref _bytes, bytes);
        Volatile.Write(ref _partitionsDone, partitionsDone);
    }

    internal void NoteFailed(long records) => Volatile.Write(ref _failed, records);

    internal void Finish(QueryOutcome outcome, long now)
    {
        Volatile.Write(ref _finished, now);
        _outcome = outcome;
    }

    internal static string TextOf(ReadOnlySpan<byte> set) => Encoding.UTF8.GetString(set);
}
