using System.Runtime.CompilerServices;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Index.Holds;
using Aerie.Lua;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions.Udfs;

/// The life of a call of a function: find the record → hold it and copy its image → let the function run, outside of the
/// partition's gate, for as many turns as it needs → store what it has made of the record → reply with what it returned. A
/// record that is not there cannot be held: if it has come to be meanwhile, the function runs again.
internal readonly ref struct UdfTransaction(Worker worker, UdfLoop loop, in RecordCommand command, ReplyBuffer buffer)
{
    private const int AttemptsMax = 8;

    private readonly RecordCommand _command = command;

    private Namespace Records => _command.Namespace;

    private static ReadOnlySpan<byte> SuccessName => "SUCCESS"u8;

    private static ReadOnlySpan<byte> FailureName => "FAILURE"u8;

    public ResultCode Run()
    {
        var reply = new RecordReply(buffer, _command.BatchIndex);
        var execution = loop.Resumed;
        loop.Resumed = null;
        var result = execution is null ? Begin(out execution) : Resume(execution);
        if (_command.Waits || worker.LacksImage || loop.Suspended is not null)
        {
            return result;
        }

        for (var attempt = 1; result == ResultCode.Ok && !TryStore(execution!, out result); attempt++)
        {
            loop.Return(execution!);
            execution = null;
            result = attempt == AttemptsMax ? ResultCode.KeyBusy : Begin(out execution);
            if (_command.Waits || worker.LacksImage || loop.Suspended is not null)
            {
                return result;
            }
        }

        Count(result, execution);
        if (execution is not null)
        {
            result = Answer(execution, result, ref reply);
            loop.Return(execution);
            return result;
        }

        return reply.Fail(result);
    }

    // Ok: the function has run to its end.
    private ResultCode Begin(out UdfExecution? execution)
    {
        execution = null;
        var result = Check();
        if (result != ResultCode.Ok)
        {
            if (_command.OwnsHold)
            {
                Records.Release(worker, _command.Digest);
            }

            return result;
        }

        execution = loop.Rent();
        result = TakeRecord(execution);
        if (result != ResultCode.Ok)
        {
            loop.Return(execution);
            execution = null;
            return result;
        }

        var fields = _command.Fields;
        execution.Start(loop.Worker, new UdfCall
        {
            Module = fields.Get(FieldId.UdfModule),
            Function = fields.Get(FieldId.UdfFunction),
            Arguments = fields.Get(FieldId.UdfArguments),
            DeadlineNanoseconds = _command.Deadline,
        });
        return GoOn(execution);
    }

    private ResultCode Resume(UdfExecution execution)
    {
        execution.Run!.Resume();
        return GoOn(execution);
    }

    // Where nobody can wait for it, as in tests of single transactions, a function runs to its end in one go.
    private ResultCode GoOn(UdfExecution execution)
    {
        while (execution.IsSuspended)
        {
            if (_command.Parking is { } parking)
            {
                loop.Suspended = execution;
                parking.NoteSuspended();
                break;
            }

            execution.Run!.Resume();
        }

        return ResultCode.Ok;
    }

    private ResultCode Check()
    {
        var key = _command.Fields.Key;
        return _command.Fields.Has(FieldId.Key) && key.Length < 2 ? ResultCode.Parameter : ResultCode.Ok;
    }

    private ResultCode TakeRecord(UdfExecution execution)
    {
        using var gate = Records.Index.Enter(_command.Digest.Partition);
        var found = Records.Index.TryFind(_command.Digest, out var handle);
        var entry = found ? Records.Index[handle] : default;
        if (found && entry.IsHeld && !_command.OwnsHold)
        {
            _command.Parking?.TryQueue(Records, _command.Digest, ref Records.Index[handle]);
            return ResultCode.KeyBusy;
        }

        var exists = found && Records.IsLive(entry, worker.NowSeconds);
        var image = default(RecordImageReader);
        var result = exists && worker.Filter is not null ? RecordFilter.Check(worker, _command, entry) : ResultCode.Ok;
        result = result != ResultCode.Ok ? result
            : exists && !Records.TryOpen(worker, entry, out image) ? ResultCode.Unknown
            : exists && !RecordKey.Matches(_command.Fields.Key, image) ? ResultCode.KeyMismatch
            : ResultCode.Ok;
        if (result != ResultCode.Ok)
        {
            EndHold(_command.OwnsHold && !worker.LacksImage);
            return result;
        }

        execution.Record.Begin(worker, _command, exists, entry, image);
        execution.Holds = found && (_command.OwnsHold || RecordHolds.TryHold(ref Records.Index[handle]));
        return ResultCode.Ok;
    }

    // False: the record has come to be since the function began without it.
    private bool TryStore(UdfExecution execution, out ResultCode result)
    {
        result = ResultCode.Ok;
        if (!execution.Holds && !execution.Record.HasChanged)
        {
            return true;
        }

        var record = execution.Record;
        using var gate = Records.Index.Enter(_command.Digest.Partition);
        var found = Records.Index.TryFind(_command.Digest, out var handle);
        if (!execution.Holds && found)
        {
            return false;
        }

        // What the hold does not keep off: a truncation, the end of its time. The record is a new one then.
        var entry = found ? Records.Index[handle] : default;
        var exists = found && Records.IsLive(entry, worker.NowSeconds);
        if (record.HasChanged)
        {
            result = record.Exists && record.BinCount > 0 ? Store(record, handle, exists, ref entry)
                : exists ? DeleteTransaction.TakeAway(worker, _command, handle, entry)
                : ResultCode.Ok;
        }

        EndHold(execution.Holds);
        execution.Holds = false;
        return true;
    }

    private ResultCode Store(UdfRecord record, EntryHandle handle, bool exists, ref RecordEntry entry)
    {
        if (Records.StopWrites)
        {
            return ResultCode.OutOfSpace;
        }

        var result = NewVersion.Describe(worker, _command, record.TimeToLive, exists, ref entry);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        var image = new NewImage(record.KeyToStore(_command.Fields.Key), record.Draft, record.Sources);
        result = ImageStore.Store(worker, Records, _command.Digest, handle, image, ref entry);
        if (result == ResultCode.Ok)
        {
            ImageStore.NoteChange(worker, _command);
        }

        return result;
    }

    private void EndHold(bool holds)
    {
        if (holds)
        {
            Records.EndHold(worker, _command.Digest);
        }
    }

    // What was changed before a failure stays: an update that a function was told of is done.
    private static ResultCode Answer(UdfExecution execution, ResultCode stored, ref RecordReply reply)
    {
        if (stored != ResultCode.Ok || execution.Run is not { } run)
        {
            return reply.Fail(stored);
        }

        var value = run.Value;
        switch (run.Result)
        {
            case ResultCode.Ok:
                reply.AddOp(SuccessName, value.Type, value.Bytes);
                if (reply.Overflowed)
                {
                    return reply.Fail(ResultCode.RecordTooBig);
                }

                reply.Finish(0, 0);
                return ResultCode.Ok;
            case ResultCode.UdfExecution:
                reply.AddOp(FailureName, ParticleType.String, value.Bytes);
                return reply.FinishFailed(ResultCode.UdfExecution);
            default:
                return reply.Fail(run.Result);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Count(ResultCode stored, UdfExecution? execution)
    {
        var result = stored == ResultCode.Ok && execution?.Run is { } run ? run.Result : stored;
        var counters = Records.Counters;
        counters.Add(worker.Number, _command.UdfCounter(
            result == ResultCode.Ok ? NamespaceCounter.ClientUdfComplete
            : result == ResultCode.FilteredOut ? NamespaceCounter.ClientUdfFilteredOut
            : NamespaceCounter.ClientUdfError));
        if (result == ResultCode.FilteredOut)
        {
            return;
        }

        var record = execution?.Record;
        counters.Add(worker.Number, _command.UdfCounter(
            result != ResultCode.Ok || record is null ? NamespaceCounter.ClientLangError
            : !record.HasChanged ? NamespaceCounter.ClientLangReadSuccess
            : record.Exists && record.BinCount > 0 ? NamespaceCounter.ClientLangWriteSuccess
            : NamespaceCounter.ClientLangDeleteSuccess));
        WriteTransaction.CountFailure(worker, Records, result);
    }
}
