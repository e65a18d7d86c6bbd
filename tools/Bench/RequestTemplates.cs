using Aerie.Client;
using Aerie.Client.Wire;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Tools.Bench;

/// A request built once; each use is a copy with other digests written over those of the template.
internal sealed class RequestTemplate
{
    private readonly byte[] _bytes;
    private readonly int[] _digestOffsets;

    public RequestTemplate(ReadOnlySpan<byte> request, params ReadOnlySpan<Digest> digests)
    {
        _bytes = request.ToArray();
        _digestOffsets = new int[digests.Length];
        for (var i = 0; i < digests.Length; i++)
        {
            _digestOffsets[i] = request.IndexOf(digests[i].ToArray());
            Invariant.Holds(_digestOffsets[i] > 0);
        }
    }

    public int Length => _bytes.Length;

    public int Digests => _digestOffsets.Length;

    public void CopyTo(Span<byte> target) => _bytes.CopyTo(target);

    public void Patch(Span<byte> target, int place, ReadOnlySpan<byte> digest) => digest.CopyTo(target[_digestOffsets[place]..]);
}

/// The templates of one workload, shared by all threads.
internal sealed class RequestTemplates
{
    /// What the server is told to give up after.
    private static readonly TimeSpan ServerTimeout = TimeSpan.FromSeconds(1);

    private readonly BenchOptions _options;
    private readonly MessageWriter _writer = new();

    public RequestTemplates(BenchOptions options)
    {
        _options = options;
        Read = MakeRead();
        Write = MakeWrite();
        Batch = options.Workload == Workload.Batch ? MakeBatch() : null;
    }

    public RequestTemplate Read { get; }

    public RequestTemplate Write { get; }

    /// Null for other workloads.
    public RequestTemplate? Batch { get; }

    /// One share of a query over all partitions.
    public RequestTemplate MakeScan(int share, int shares)
    {
        var first = share * Digest.PartitionCount / shares;
        var end = (share + 1) * Digest.PartitionCount / shares;
        var partitions = Enumerable.Range(first, end - first).ToArray();
        var id = (_options.Seed << 16) + (ulong)share + 1;
        var statement = new Statement(_options.Namespace, _options.Set);
        Requests.Query(_writer, QueryPolicy.Default, new QueryRequest(statement, partitions, [], 0, id));
        return new RequestTemplate(_writer.Written);
    }

    private RequestTemplate MakeRead()
    {
        var key = KeyOf(0);
        Requests.Read(_writer, new Policy { TotalTimeout = ServerTimeout }, key, []);
        return new RequestTemplate(_writer.Written, key.Digest);
    }

    private RequestTemplate MakeWrite()
    {
        var key = KeyOf(0);
        var policy = new WritePolicy { TotalTimeout = ServerTimeout };
        Requests.Write(_writer, policy, key, OpCode.Write, [new Bin("b", new string('v', _options.ValueSize))]);
        return new RequestTemplate(_writer.Written, key.Digest);
    }

    private RequestTemplate MakeBatch()
    {
        var entries = new BatchEntry[_options.BatchSize];
        var digests = new Digest[entries.Length];
        var places = new int[entries.Length];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = new BatchEntry(KeyOf(i));
            digests[i] = entries[i].Key.Digest;
            places[i] = i;
        }

        Requests.Batch(_writer, new BatchPolicy { TotalTimeout = ServerTimeout }, entries, places);
        return new RequestTemplate(_writer.Written, digests);
    }

    private Key KeyOf(long number) => new(_options.Namespace, _options.Set, number);
}
