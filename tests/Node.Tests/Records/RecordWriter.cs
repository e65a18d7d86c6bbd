using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Transactions;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Records;

/// A thread that works on records, without sockets: the commands are the node's own.
internal sealed class RecordWriter(Namespace records, Worker worker) : IDisposable
{
    private readonly BufferPool _buffers = new();

    public Worker Worker => worker;

    public ResultCode Put(string key, ReadOnlySpan<byte> value, string set = "s", uint ttl = Ttl.Never) =>
        Run(WireRequest.Write(key, set).Ttl(ttl).Op(OpCode.Write, "b", ParticleType.Bytes, value), WireRequest.DigestOf(key, set));

    public ResultCode Put(in Digest digest, ReadOnlySpan<byte> value, uint ttl) =>
        Run(new WireRequest().Flags(Info2.Write).Ttl(ttl).Op(OpCode.Write, "b", ParticleType.Bytes, value), digest);

    public ResultCode Delete(string key, string set = "s", bool durable = false)
    {
        var request = WireRequest.Delete(key, set);
        return Run(durable ? request.Flags(Info2.DurableDelete) : request, WireRequest.DigestOf(key, set));
    }

    /// Null: no such record for a client.
    public byte[]? Get(string key, string set = "s")
    {
        worker.BeginTurn();
        var digest = WireRequest.DigestOf(key, set);
        using var gate = records.Index.Enter(digest.Partition);
        if (!records.Index.TryFind(digest, out var handle) || !records.IsLive(records.Index[handle], worker.NowSeconds))
        {
            return null;
        }

        Invariant.Holds(records.TryOpen(worker, records.Index[handle], out var image));
        var bins = image.Bins;
        return bins.MoveNext() ? bins.Current.Value.ToArray() : null;
    }

    public bool Exists(string key, string set = "s") => Get(key, set) is not null;

    public void Dispose() => _buffers.Dispose();

    private ResultCode Run(WireRequest request, Digest digest)
    {
        worker.BeginTurn();
        var read = Request.TryRead(request.Bytes().AsSpan(ProtoHeader.Length), out var parsed);
        Invariant.Holds(read);
        var reply = new ReplyBuffer(_buffers);
        var result = RecordCommands.Run(
            worker,
            new RecordCommand
            {
                Namespace = records,
                Digest = digest,
                Info2 = parsed.Header.Info2,
                Ttl = parsed.Header.Ttl,
                Fields = parsed.Fields,
                OpBytes = parsed.OpBytes,
                OpCount = parsed.Header.OpCount,
            },
            reply);
        reply.Drop();
        return result;
    }
}
