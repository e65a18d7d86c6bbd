using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Transactions;

namespace Aerie.Server.Batch;

/// Carries out the rows of a batch, one behind the other, on the loop that it was made for. Index and records lie all over
/// the memory: a look ahead over the next rows has the processor load what they need while earlier rows are worked on.
internal sealed class BatchRun(Worker worker, Namespaces namespaces)
{
    private readonly LookAhead _ahead = new();

    /// The last run stopped before a write to this namespace, which has too much to write out. Null: it did not.
    public Namespace? WaitsFor { get; private set; }

    /// Carries out at most `rowsMax` rows from the position on, fewer when the reply has grown by a step's worth, and moves
    /// the position behind them. Ok: go on, or done when no rows are left; otherwise the batch ends here, for what reason.
    public ResultCode Run(scoped in BatchWork work, ref BatchPosition position, int rowsMax, ReplyBuffer reply, bool mayWait = true)
    {
        WaitsFor = null;
        var limit = reply.Length + LongReply.StepBytes;
        var reader = BatchReader.At(work.Rows, work.Header, position);
        var left = rowsMax;
        var ended = false;
        while (left > 0 && !ended && reply.Length < limit)
        {
            var count = LookAhead(reader, Math.Min(left, Transactions.LookAhead.Max), mayWait);
            left -= count;
            if (count == 0 && WaitsFor is not null)
            {
                break;
            }

            WaitsFor = null; // the rows in front of it may change that
            ended = count == 0 ? !reader.TryNext(out _) : !RunRows(work, ref reader, count, limit, reply);
        }

        position = ended ? default : reader.Position;
        return reader.Malformed ? ResultCode.Parameter : ResultCode.Ok;
    }

    // A copy of the reader runs ahead: what is malformed out there is met again by the reader itself.
    private int LookAhead(BatchReader reader, int max, bool mayWait)
    {
        _ahead.Clear();
        while (_ahead.Count < max && reader.TryNext(out var row))
        {
            var records = namespaces.Find(row.Fields.Namespace);
            if (mayWait && (row.Info2 & (Info2.Write | Info2.Delete)) == Info2.Write && records is { IsWriteCacheFull: true })
            {
                WaitsFor = records;
                break;
            }

            _ahead.Add(records, new Digest(row.Digest));
        }

        _ahead.Load();
        return _ahead.Count;
    }

    // False: an error ends the batch.
    private bool RunRows(scoped in BatchWork work, ref BatchReader reader, int count, int limit, ReplyBuffer reply)
    {
        var start = worker.Clock.MonotonicNanoseconds;
        var goesOn = true;
        Namespace? measured = null;
        var writes = 0;
        var done = 0;
        for (; done < count && goesOn && reply.Length < limit && reader.TryNext(out var row); done++)
        {
            measured = _ahead.NamespaceAt(done) ?? measured;
            writes += (row.Info2 & Info2.Write) != 0 ? 1 : 0;
            goesOn = !work.Ends(RunRow(row, _ahead.NamespaceAt(done), _ahead.DigestAt(done), reply));
        }

        if (measured is not null && done > 0)
        {
            Measure(measured, done - writes, writes, (worker.Clock.MonotonicNanoseconds - start) / done);
        }

        return goesOn;
    }

    private ResultCode RunRow(scoped in BatchRow row, Namespace? records, in Digest digest, ReplyBuffer reply)
    {
        if (records is null)
        {
            return RecordCommands.Refuse(reply, row.Index, ResultCode.Namespace);
        }

        var command = new RecordCommand
        {
            Namespace = records,
            Digest = digest,
            Info1 = row.Info1,
            Info2 = row.Info2,
            Info3 = row.Info3,
            Info4 = row.Info4,
            Generation = row.Generation,
            Ttl = row.Ttl,
            Fields = row.Fields,
            OpBytes = row.OpBytes,
            OpCount = row.OpCount,
            Origin = CommandOrigin.BatchSub,
            BatchIndex = row.Index,
        };
        return RecordCommands.Run(worker, command, reply);
    }

    // A look at the clock for each row would cost a tenth of the row: the rows of one look-ahead share one measurement.
    private void Measure(Namespace records, int reads, int writes, long nanoseconds)
    {
        var latencies = records.Latencies;
        for (var i = 0; i < reads; i++)
        {
            latencies.BatchSubRead.Record(worker.Number, nanoseconds);
        }

        for (var i = 0; i < writes; i++)
        {
            latencies.BatchSubWrite.Record(worker.Number, nanoseconds);
        }
    }
}
