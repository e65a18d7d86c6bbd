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
        var result = ReadOps.Check(_command.Ops);
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
            ReadOps.AddAll(ref reply, reader);
        }
        else
        {
            var ops = new ReadOps(worker, _command.Namespace, _command.Ops, _command.Asks(Info2.RespondAllOps));
            var result = ops.Run(_command.Digest, entry, reader, ref reply);
            if (result != ResultCode.Ok)
            {
                return result;
            }
        }

        return reply.Overflowed ? ResultCode.Parameter : ResultCode.Ok;
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
