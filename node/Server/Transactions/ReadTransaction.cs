using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// The life of a read: find the record → check that it is the one meant → copy the bins asked for into the reply, all
/// under the partition's gate, so that the image cannot move meanwhile.
internal readonly ref struct ReadTransaction(Worker worker, in RecordCommand command, ReplyBuffer buffer)
{
    private readonly RecordCommand _command = command;

    public ResultCode Run()
    {
        var reply = new RecordReply(buffer, _command.BatchIndex);
        var records = _command.Namespace;
        var result = Check();
        var touch = 0u;
        if (result == ResultCode.Ok)
        {
            using var gate = records.Index.Enter(_command.Digest.Partition);
            result = Read(ref reply, out touch);
        }

        if (result == ResultCode.Ok && touch != 0)
        {
            ReadTouch.Run(worker, _command, touch);
        }

        if (!worker.LacksImage)
        {
            Count(result);
        }

        return result == ResultCode.Ok ? result : reply.Fail(result);
    }

    private ResultCode Check()
    {
        var ops = _command.Ops;
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

    private ResultCode Read(ref RecordReply reply, out uint touchTo)
    {
        touchTo = 0;
        var records = _command.Namespace;
        if (!records.Index.TryFind(_command.Digest, out var handle))
        {
            return ResultCode.NotFound;
        }

        ref var entry = ref records.Index[handle];
        if (!records.IsLive(entry, worker.NowSeconds))
        {
            return ResultCode.NotFound;
        }

        if (worker.Filter is not null)
        {
            var result = RecordFilter.Check(worker, _command, entry);
            if (result != ResultCode.Ok)
            {
                return result;
            }
        }

        if (!_command.Asks(Info1.NoBinData) || _command.Fields.Has(FieldId.Key))
        {
            var result = ReadImage(ref reply, entry);
            if (result != ResultCode.Ok)
            {
                return result;
            }
        }

        touchTo = VoidTimeOfTouch(entry);
        reply.Finish(entry.Generation, entry.VoidTime);
        return ResultCode.Ok;
    }

    private ResultCode ReadImage(ref RecordReply reply, scoped in RecordEntry entry)
    {
        if (!_command.Namespace.TryOpen(worker, entry, out var reader))
        {
            return ResultCode.Unknown;
        }

        if (!RecordKey.Matches(_command.Fields.Key, reader))
        {
            return ResultCode.KeyMismatch;
        }

        if (_command.Asks(Info1.NoBinData))
        {
            return ResultCode.Ok;
        }

        if (_command.Asks(Info1.GetAll) || _command.OpCount == 0)
        {
            AddAll(ref reply, reader);
        }
        else
        {
            var result = AddNamed(ref reply, entry, reader);
            if (result != ResultCode.Ok)
            {
                return result;
            }
        }

        return reply.Overflowed ? ResultCode.Parameter : ResultCode.Ok;
    }

    private static void AddAll(ref RecordReply reply, scoped in RecordImageReader reader)
    {
        foreach (var bin in reader.Bins)
        {
            reply.AddOp(bin.Name, (ParticleType)bin.ParticleType, bin.Value);
        }
    }

    // Results come in the order of the operations; a bin that is not there is left out unless every operation is to answer.
    // The draft finds a name among thousands without walking them all.
    private ResultCode AddNamed(ref RecordReply reply, in RecordEntry entry, scoped in RecordImageReader reader)
    {
        var respondAll = _command.Asks(Info2.RespondAllOps);
        var draft = worker.Draft;
        var sources = new DraftSources(reader.Image, default);
        draft.Clear();
        draft.Load(reader);
        var ops = _command.Ops;
        while (ops.TryNext(out var op) && !reply.Overflowed)
        {
            var row = OpTable.Of(op.Code);
            if (row.IsComputed)
            {
                var view = new RecordView(worker, _command.Namespace, _command.Digest, entry, reader, sources);
                var result = new ComputedOps(worker, view, sources, respondAll).Run(row, op, ref reply);
                if (result != ResultCode.Ok)
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
            else if (respondAll)
            {
                reply.AddOp(op.Name, ParticleType.Null, default);
            }
        }

        return ResultCode.Ok;
    }

    private uint VoidTimeOfTouch(in RecordEntry entry)
    {
        if (entry.VoidTime == CitrusTime.NeverExpires)
        {
            return 0;
        }

        var lifetime = new LifetimeRequest(_command.Ttl, worker.NowSeconds, Exists: true, entry.VoidTime);
        var records = _command.Namespace;
        return RecordLifetime.VoidTimeOfReadTouch(
            _command.Ttl, lifetime, entry.LastUpdateTime, records.Options, records.SetOptionsOf(entry.SetId));
    }

    private void Count(ResultCode result) => _command.Namespace.Counters.Add(worker.Number, _command.Counter(result switch
    {
        ResultCode.Ok => NamespaceCounter.ClientReadSuccess,
        ResultCode.NotFound => NamespaceCounter.ClientReadNotFound,
        ResultCode.FilteredOut => NamespaceCounter.ClientReadFilteredOut,
        _ => NamespaceCounter.ClientReadError,
    }));
}
