using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// The life of a write: check the request → take the partition's gate → find the record → may it? → draft the new bins →
/// store the image → swap the location in the index → reply. Nothing of the old record changes before the new image is
/// complete, so a write that fails leaves no trace.
internal readonly ref struct WriteTransaction(Worker worker, in RecordCommand command, ReplyBuffer buffer)
{
    private readonly RecordCommand _command = command;

    private Namespace Records => _command.Namespace;

    public ResultCode Run()
    {
        var reply = new RecordReply(buffer, _command.BatchIndex);
        var result = Check(out var plan);
        if (result == ResultCode.Ok || _command.OwnsHold)
        {
            using var gate = Records.Index.Enter(_command.Digest.Partition);
            result = result == ResultCode.Ok ? Write(plan, ref reply) : result;
            if (_command.OwnsHold && !worker.LacksImage)
            {
                Records.EndHold(worker, _command.Digest);
            }
        }

        var isGone = _command.Origin == CommandOrigin.OpsSub && result == ResultCode.NotFound; // since the query found it
        if (!_command.Waits && !worker.LacksImage && !isGone)
        {
            Count(result);
        }

        return result == ResultCode.Ok ? result : reply.Fail(result);
    }

    private ResultCode Check(out WritePlan plan)
    {
        plan = default;
        if (Records.StopWrites)
        {
            return ResultCode.OutOfSpace;
        }

        var key = _command.Fields.Key;
        if (_command.Fields.Has(FieldId.Key) && key.Length < 2)
        {
            return ResultCode.Parameter; // a type and at least one byte
        }

        return WritePlan.Make(_command, out plan);
    }

    private ResultCode Write(WritePlan plan, ref RecordReply reply)
    {
        var found = Records.Index.TryFind(_command.Digest, out var handle);
        var entry = found ? Records.Index[handle] : default;
        if (found && entry.IsHeld && !_command.OwnsHold)
        {
            _command.Parking?.TryQueue(Records, _command.Digest, ref Records.Index[handle]);
            return ResultCode.KeyBusy;
        }

        var exists = found && Records.IsLive(entry, worker.NowSeconds);
        var result = WritePolicy.Allows(_command, exists, entry.Generation, plan.NeedsRecord);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        if (exists && worker.Filter is not null && (result = RecordFilter.Check(worker, _command, entry)) != ResultCode.Ok)
        {
            return result;
        }

        var current = default(RecordImageReader);
        if (exists && !Records.TryOpen(worker, entry, out current))
        {
            return ResultCode.Unknown;
        }

        if (exists && !RecordKey.Matches(_command.Fields.Key, current))
        {
            return ResultCode.KeyMismatch;
        }

        var sources = new DraftSources(current.Image, _command.OpBytes);
        result = Draft(entry, current, sources, ref reply);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        if (worker.Draft.BinCount == 0)
        {
            return RemoveEmptied(exists, handle, entry, ref reply);
        }

        result = NewVersion.Describe(worker, _command, _command.Ttl, exists, ref entry);
        return result == ResultCode.Ok ? Store(handle, current, sources, ref entry, ref reply) : result;
    }

    private ResultCode Draft(
        in RecordEntry entry, scoped in RecordImageReader current, scoped in DraftSources sources, ref RecordReply reply)
    {
        var draft = worker.Draft;
        draft.Clear();
        if (!_command.Asks(Info3.CreateOrReplace) && !_command.Asks(Info3.ReplaceOnly))
        {
            draft.Load(current);
        }

        var view = new RecordView(worker, Records, _command.Digest, entry, current, sources);
        return new WriteOps(worker, view, sources, _command).Apply(ref reply);
    }

    // A record without bins is no record: the last bin's removal deletes it, durably if the client asked for that.
    private ResultCode RemoveEmptied(bool exists, EntryHandle handle, in RecordEntry entry, ref RecordReply reply)
    {
        if (!exists)
        {
            return ResultCode.NotFound;
        }

        var result = DeleteTransaction.TakeAway(worker, _command, handle, entry);
        if (result == ResultCode.Ok)
        {
            reply.Finish(0, 0);
        }

        return result;
    }

    private ResultCode Store(
        EntryHandle handle,
        scoped in RecordImageReader current,
        scoped in DraftSources sources,
        ref RecordEntry entry,
        ref RecordReply reply)
    {
        var key = UserKey.Of(_command.Fields.Key, current);
        var result = ImageStore.Store(worker, Records, _command.Digest, handle, new NewImage(key, worker.Draft, sources), ref entry);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        ImageStore.NoteChange(worker, _command);
        reply.Finish(entry.Generation, entry.VoidTime);
        return ResultCode.Ok;
    }

    private void Count(ResultCode result)
    {
        var outcome = result == ResultCode.Ok ? NamespaceCounter.ClientWriteSuccess
            : result == ResultCode.FilteredOut ? NamespaceCounter.ClientWriteFilteredOut
            : NamespaceCounter.ClientWriteError;
        Records.Counters.Add(worker.Number, _command.Counter(outcome));
        CountFailure(worker, Records, result);
    }

    /// The failures that have a statistic of their own.
    public static void CountFailure(Worker worker, Namespace records, ResultCode result)
    {
        switch (result)
        {
            case ResultCode.Generation: records.Counters.Add(worker.Number, NamespaceCounter.FailGeneration); break;
            case ResultCode.KeyBusy: records.Counters.Add(worker.Number, NamespaceCounter.FailKeyBusy); break;
            case ResultCode.RecordTooBig: records.Counters.Add(worker.Number, NamespaceCounter.FailRecordTooBig); break;
        }
    }
}
