using Aerie.Foundation;
using Aerie.Index;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// The life of a delete: find the record → may it go? → take it away, or leave a tombstone where the client asked for a
/// delete that outlives a restart. Deletes go on when writes are stopped: they are the way out.
internal readonly ref struct DeleteTransaction(Worker worker, in RecordCommand command, ReplyBuffer buffer)
{
    private readonly RecordCommand _command = command;

    private Namespace Records => _command.Namespace;

    public ResultCode Run()
    {
        var reply = new RecordReply(buffer, _command.BatchIndex);
        var result = DeleteGated();
        if (!_command.Waits && !worker.LacksImage)
        {
            Count(result);
        }

        if (result != ResultCode.Ok)
        {
            return reply.Fail(result);
        }

        reply.Finish(0, 0);
        return ResultCode.Ok;
    }

    private ResultCode DeleteGated()
    {
        using var gate = Records.Index.Enter(_command.Digest.Partition);
        var result = Delete();
        if (_command.OwnsHold && !worker.LacksImage)
        {
            Records.EndHold(worker, _command.Digest);
        }

        return result;
    }

    private ResultCode Delete()
    {
        if (!Records.Index.TryFind(_command.Digest, out var handle))
        {
            return ResultCode.NotFound;
        }

        var entry = Records.Index[handle];
        if (entry.IsHeld && !_command.OwnsHold)
        {
            _command.Parking?.TryQueue(Records, _command.Digest, ref Records.Index[handle]);
            return ResultCode.KeyBusy;
        }

        if (!Records.IsLive(entry, worker.NowSeconds))
        {
            return ResultCode.NotFound;
        }

        var result = WritePolicy.AllowsGeneration(_command, entry.Generation);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        if (worker.Filter is not null)
        {
            result = RecordFilter.Check(worker, _command, entry);
        }

        if (result == ResultCode.Ok && !_command.Fields.Key.IsEmpty)
        {
            result = CheckKey(entry);
        }

        return result == ResultCode.Ok ? TakeAway(worker, _command, handle, entry) : result;
    }

    private ResultCode CheckKey(in RecordEntry entry) =>
        !Records.TryOpen(worker, entry, out var image) ? ResultCode.Unknown
        : RecordKey.Matches(_command.Fields.Key, image) ? ResultCode.Ok
        : ResultCode.KeyMismatch;

    /// Removes the record, or leaves a tombstone where the command asks for one. Caller holds the gate.
    public static ResultCode TakeAway(Worker worker, scoped in RecordCommand command, EntryHandle handle, in RecordEntry entry)
    {
        if (command.Asks(Info2.DurableDelete))
        {
            return LeaveTombstone(worker, command, handle, entry);
        }

        if (!command.Namespace.Remove(worker, command.Digest, handle))
        {
            return ImageStore.NoRoom(command.Namespace);
        }

        ImageStore.NoteChange(worker, command);
        return ResultCode.Ok;
    }

    private static ResultCode LeaveTombstone(Worker worker, scoped in RecordCommand command, EntryHandle handle, RecordEntry entry)
    {
        entry.Generation = WritePolicy.NextGeneration(entry.Generation);
        entry.LastUpdateTime = command.Namespace.NextUpdateTime(worker, command.Digest, entry, lives: true);
        entry.VoidTime = CitrusTime.NeverExpires;
        entry.IsTombstone = true;
        worker.Draft.Clear();
        var image = new NewImage(default, worker.Draft, default);
        var result = ImageStore.Store(worker, command.Namespace, command.Digest, handle, image, ref entry);
        if (result == ResultCode.Ok)
        {
            ImageStore.NoteChange(worker, command);
        }

        return result;
    }

    private void Count(ResultCode result)
    {
        Records.Counters.Add(worker.Number, _command.Counter(result switch
        {
            ResultCode.Ok => NamespaceCounter.ClientDeleteSuccess,
            ResultCode.NotFound => NamespaceCounter.ClientDeleteNotFound,
            ResultCode.FilteredOut => NamespaceCounter.ClientDeleteFilteredOut,
            _ => NamespaceCounter.ClientDeleteError,
        }));
        WriteTransaction.CountFailure(worker, Records, result);
    }
}
