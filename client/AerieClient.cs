using Aerie.Client.Cluster;
using Aerie.Client.Wire;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Client;

/// The client of one cluster. Thread-safe: make one and share it. Each call blocks its thread until the reply is there;
/// a call that fails throws AerieException, except where "not found" is an answer.
public sealed class AerieClient : IDisposable
{
    private readonly NodeCluster _cluster;

    // A request is built before a connection is chosen, because a retry sends the same bytes to another node.
    private readonly ThreadLocal<MessageWriter> _writers = new(() => new MessageWriter());

    public AerieClient(params IReadOnlyList<HostAddress> seeds)
        : this(ClientPolicy.Default, seeds)
    {
    }

    public AerieClient(ClientPolicy policy, params IReadOnlyList<HostAddress> seeds) => _cluster = new NodeCluster(seeds, policy);

    public IReadOnlyList<ClusterNode> Nodes => _cluster.Nodes;

    /// Null when there is no such record. No bins named: all.
    public Record? Get(Key key, params ReadOnlySpan<string> bins) => Get(Policy.Default, key, bins);

    public Record? Get(Policy policy, Key key, params ReadOnlySpan<string> bins)
    {
        var writer = Writer;
        Requests.Read(writer, policy, key, bins);
        return ReadRecord(policy, key, writer, isWrite: false);
    }

    /// Generation and void-time without bins; null when there is no such record.
    public Record? GetHeader(Key key, Policy? policy = null)
    {
        var writer = Writer;
        Requests.ReadHeader(writer, policy ?? Policy.Default, key);
        return ReadRecord(policy ?? Policy.Default, key, writer, isWrite: false);
    }

    public bool Exists(Key key, Policy? policy = null) => GetHeader(key, policy) is not null;

    public void Put(Key key, params ReadOnlySpan<Bin> bins) => Write(WritePolicy.Default, key, OpCode.Write, bins);

    public void Put(WritePolicy policy, Key key, params ReadOnlySpan<Bin> bins) => Write(policy, key, OpCode.Write, bins);

    public void Append(Key key, Bin bin, WritePolicy? policy = null) =>
        Write(policy ?? WritePolicy.Default, key, OpCode.Append, [bin]);

    public void Prepend(Key key, Bin bin, WritePolicy? policy = null) =>
        Write(policy ?? WritePolicy.Default, key, OpCode.Prepend, [bin]);

    public void Add(Key key, Bin bin, WritePolicy? policy = null) => Write(policy ?? WritePolicy.Default, key, OpCode.Add, [bin]);

    /// Gives the record a new life time and generation. False: no such record.
    public bool Touch(Key key, WritePolicy? policy = null)
    {
        var writer = Writer;
        Requests.Touch(writer, policy ?? WritePolicy.Default, key);
        return ReadRecord(policy ?? WritePolicy.Default, key, writer, isWrite: true) is not null;
    }

    /// False: there was no such record.
    public bool Delete(Key key, WritePolicy? policy = null)
    {
        var writer = Writer;
        Requests.Delete(writer, policy ?? WritePolicy.Default, key);
        return ReadRecord(policy ?? WritePolicy.Default, key, writer, isWrite: true) is not null;
    }

    /// The results of the operations that return one; null when only reads were asked of a record that does not exist.
    public Record? Operate(Key key, params IReadOnlyList<Operation> operations) => Operate(WritePolicy.Default, key, operations);

    public Record? Operate(WritePolicy policy, Key key, params IReadOnlyList<Operation> operations)
    {
        var writer = Writer;
        Requests.Operate(writer, policy, key, operations);
        return ReadRecord(policy, key, writer, isWrite: operations.Any(operation => operation.IsWrite));
    }

    /// Reads and writes many records with one message per node. Each entry says afterwards what became of it; an
    /// exception means that some entries have no answer.
    public void Batch(IReadOnlyList<BatchEntry> entries, BatchPolicy? policy = null) =>
        BatchCall.Execute(_cluster, policy ?? BatchPolicy.Default, entries, Writer);

    /// Calls `found` for every record until it says false, and keeps in `progress` where to go on.
    public void Query(Statement statement, Func<FoundRecord, bool> found, QueryProgress? progress = null, QueryPolicy? policy = null) =>
        QueryCall.Execute(_cluster, policy ?? QueryPolicy.Default, statement, progress ?? new QueryProgress(), found, Writer);

    /// Deletes all records of a set (or of the namespace: empty set) that were last written before now, or before the date.
    public void Truncate(string @namespace, string set = "", DateTimeOffset? before = null)
    {
        var command = set.Length > 0 ? $"truncate:namespace={@namespace};set={set}" : $"truncate-namespace:namespace={@namespace}";
        if (before is { } date)
        {
            command += $";lut={(date - DateTimeOffset.UnixEpoch).Ticks * 100}";
        }

        var answer = Info(command);
        if (!answer.StartsWith("ok", StringComparison.OrdinalIgnoreCase))
        {
            throw InfoFailure(command, answer);
        }
    }

    /// Asks one info command of one node (the first, if none is named) and returns its answer as it is.
    public string Info(string command, ClusterNode? node = null)
    {
        var answers = (node ?? _cluster.Nodes[0]).Ask(command);
        return answers.Count > 0 ? answers[0].Value : string.Empty;
    }

    public void Dispose()
    {
        _cluster.Dispose();
        _writers.Dispose();
    }

    private MessageWriter Writer => _writers.Value!;

    private void Write(WritePolicy policy, Key key, OpCode kind, ReadOnlySpan<Bin> bins)
    {
        var writer = Writer;
        Requests.Write(writer, policy, key, kind, bins);
        if (ReadRecord(policy, key, writer, isWrite: true) is null)
        {
            throw new AerieException(ResultCode.NotFound);
        }
    }

    private Record? ReadRecord(Policy policy, Key key, MessageWriter writer, bool isWrite)
    {
        using var call = Call.Execute(_cluster, policy, key, writer.Written, isWrite);
        var reader = new ReplyReader(call.Reply);
        var header = reader.Header();
        reader.SkipFields(header.Fields);
        var record = reader.Record(header);
        call.Complete();
        return header.Result switch
        {
            ResultCode.Ok => record,
            ResultCode.NotFound => null,
            var code => throw new AerieException(code, $"{key}: the node answered {(byte)code} ({code})"),
        };
    }

    private static AerieException InfoFailure(string command, string answer)
    {
        var parts = answer.Split(':', 3);
        return parts.Length > 1 && byte.TryParse(parts[1], out var code)
            ? new AerieException((ResultCode)code, $"{command}: {answer}")
            : new AerieException(ResultCode.Unknown, $"{command}: {answer}");
    }
}
