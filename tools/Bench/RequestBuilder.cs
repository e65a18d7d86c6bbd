using Aerie.Client;
using Aerie.Client.Wire;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Tools.Bench;

/// Makes the templates of a workload. Their keys are only places to be written over.
internal sealed class RequestBuilder(BenchOptions options)
{
    /// What the server is told to give up after.
    private static readonly TimeSpan ServerTimeout = TimeSpan.FromSeconds(1);

    private static readonly WritePolicy Policy = new() { TotalTimeout = ServerTimeout };

    private readonly MessageWriter _writer = new();

    public BenchOptions Options => options;

    /// No bins named: all. `filter`: a packed expression.
    public RequestTemplate Read(byte[]? filter, params ReadOnlySpan<string> bins)
    {
        var key = KeyOf(0);
        Requests.Read(_writer, Policy with { Filter = filter }, key, bins);
        return new RequestTemplate(_writer.Written, key.Digest);
    }

    /// Writes over these bins and leaves others.
    public RequestTemplate Put(params ReadOnlySpan<Bin> bins) => Put(Policy, bins);

    /// The whole record.
    public RequestTemplate Replace(params ReadOnlySpan<Bin> bins) => Put(Policy with { Exists = ExistsAction.Replace }, bins);

    public RequestTemplate Operate(params IReadOnlyList<Operation> operations)
    {
        var key = KeyOf(0);
        Requests.Operate(_writer, Policy, key, operations);
        return new RequestTemplate(_writer.Written, key.Digest);
    }

    public RequestTemplate Call(FunctionCall call)
    {
        var key = KeyOf(0);
        Requests.Execute(_writer, Policy, key, call);
        return new RequestTemplate(_writer.Written, key.Digest);
    }

    /// `row`: what to do with a key, by the place of its row.
    public RequestTemplate Batch(int rows, Func<int, Key, BatchEntry> row)
    {
        var entries = new BatchEntry[rows];
        var digests = new Digest[rows];
        var places = new int[rows];
        for (var i = 0; i < rows; i++)
        {
            entries[i] = row(i, KeyOf(i));
            digests[i] = entries[i].Key.Digest;
            places[i] = i;
        }

        Requests.Batch(_writer, new BatchPolicy { TotalTimeout = ServerTimeout }, entries, places);
        return new RequestTemplate(_writer.Written, digests);
    }

    /// One share of a query over all partitions.
    public RequestTemplate Scan(int share, int shares)
    {
        var first = share * Digest.PartitionCount / shares;
        var end = (share + 1) * Digest.PartitionCount / shares;
        var partitions = Enumerable.Range(first, end - first).ToArray();
        var id = (options.Seed << 16) + (ulong)share + 1;
        var statement = new Statement(options.Namespace, options.Set);
        Requests.Query(_writer, QueryPolicy.Default, new QueryRequest(statement, partitions, [], 0, id));
        return new RequestTemplate(_writer.Written);
    }

    private RequestTemplate Put(WritePolicy policy, ReadOnlySpan<Bin> bins)
    {
        var key = KeyOf(0);
        Requests.Write(_writer, policy, key, OpCode.Write, bins);
        return new RequestTemplate(_writer.Written, key.Digest);
    }

    private Key KeyOf(long number) => new(options.Namespace, options.Set, number);
}
