using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// Read operations on one record, answered in their order. A bin that is not there is left out unless every operation is to answer.
internal readonly ref struct ReadOps(Worker worker, Namespace records, Ops ops, bool respondsAll)
{
    private readonly Ops _ops = ops;

    /// An operation that cannot be done on this record answers nothing, as if the bin were not there. For queries: one record of
    /// another form must not end them. What no record could answer CheckAll has refused.
    public bool SkipsFailed { get; init; }

    /// The draft finds a name among thousands without walking them all. Caller holds the gate.
    public ResultCode Run(in Digest digest, in RecordEntry entry, scoped in RecordImageReader reader, ref RecordReply reply)
    {
        var draft = worker.Draft;
        var sources = new DraftSources(reader.Image, default);
        draft.Clear();
        draft.Load(reader);
        var left = _ops;
        while (left.TryNext(out var op) && !reply.Overflowed)
        {
            var row = OpTable.Of(op.Code);
            if (row.IsComputed)
            {
                var view = new RecordView(worker, records, digest, entry, reader, sources);
                var result = new ComputedOps(worker, view, sources, respondsAll).Run(row, op, ref reply);
                if (result != ResultCode.Ok && !SkipsFailed)
                {
                    return result;
                }

                continue;
            }

            var slot = op.Name.IsEmpty ? -1 : draft.Find(sources, op.Name);
            if (op.Name.IsEmpty)
            {
                AddAll(ref reply, reader);
            }
            else if (slot >= 0)
            {
                reply.AddOp(op.Name, draft.TypeOf(slot), draft.ValueOf(sources, slot));
            }
            else if (respondsAll)
            {
                reply.AddOp(op.Name, ParticleType.Null, default);
            }
        }

        return ResultCode.Ok;
    }

    /// Ok: each is a read that can be, and can be read.
    public static ResultCode CheckAll(Worker worker, Ops ops)
    {
        var result = Check(ops);
        while (result == ResultCode.Ok && ops.TryNext(out var op))
        {
            var row = OpTable.Of(op.Code);
            result = row.IsComputed ? ComputedOps.Check(worker, row, op) : ResultCode.Ok;
        }

        return result;
    }

    /// Ok: each is a read that can be.
    public static ResultCode Check(Ops ops)
    {
        while (ops.TryNext(out var op))
        {
            var row = OpTable.Of(op.Code);
            if (row.Kind == OpKind.Unknown || row.Modifies || (row.NeedsName && op.Name.IsEmpty))
            {
                return ResultCode.Parameter;
            }

            if (op.Name.Length > RecordDraft.NameLengthMax)
            {
                return ResultCode.BinName;
            }
        }

        return ResultCode.Ok;
    }

    public static void AddAll(ref RecordReply reply, scoped in RecordImageReader reader)
    {
        foreach (var bin in reader.Bins)
        {
            reply.AddOp(bin.Name, (ParticleType)bin.ParticleType, bin.Value);
        }
    }
}
