using System.Runtime.CompilerServices;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Parking;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Batch;

/// Carries out the rows of a batch, one behind the other, on the loop that it was made for. Index and records lie all over
/// the memory: a look ahead over the next rows has the processor load what they need while earlier rows are worked on.
internal sealed class BatchRun(Worker worker, Namespaces namespaces, UdfLoop udfs)
{
    /// For the functions of a row, when the client says nothing.
    private const long FunctionNanoseconds = 1_000_000_000;

    /// How far a batch looks for rows that lack images, when one does.
    private const int RowsForeseen = 2 * ImageFetch.ImagesMax;

    private readonly LookAhead _ahead = new();
    private int _rowsDone;

    private int _udfs;

    /// The last run stopped at a row whose image must be read first.
    public bool LacksImages { get; private set; }

    /// The last run stopped before a write to this namespace, where writes wait. Null: it did not.
    public Namespace? WaitsFor { get; private set; }

    /// The next run is for who has waited for Namespace.WritePause already.
    public bool IgnoresPause { get; set; }

    /// Carries out at most `rowsMax` rows from the position on, fewer when the reply has grown by a step's worth, and moves
    /// the position behind them. Ok: go on, or done when no rows are left; otherwise the batch ends here, for what reason.
    /// `images` is what was read for these rows; if they lack others, those are asked for in its place. Without it nothing is
    /// asked for. `unfinished`: of the row at the position, which runs on, or of the row at which this run stops.
    public ResultCode Run(
        scoped in BatchWork work,
        ref BatchPosition position,
        int rowsMax,
        ReplyBuffer reply,
        UnfinishedCommand unfinished,
        ImageFetch? images,
        bool mayWait = true)
    {
        LacksImages = false;
        WaitsFor = null;
        worker.Fetched = images;
        var limit = reply.Length + LongReply.StepBytes;
        var reader = BatchReader.At(work.Rows, work.Header, position);
        var left = rowsMax;
        var ended = false;
        while (left > 0 && !ended && reply.Length < limit)
        {
            var start = reader.Position;
            var count = LookAhead(reader, Math.Min(left, Records.LookAhead.Max), mayWait);
            left -= count;
            if (count == 0 && WaitsFor is not null)
            {
                break;
            }

            WaitsFor = null; // the rows in front of it may change that
            ended = count == 0 ? !reader.TryNext(out _) : !RunRows(work, ref reader, count, limit, reply, unfinished);
            if (worker.LacksImage)
            {
                position = AskFor(work, start, images);
                return ResultCode.Ok;
            }

            if (!unfinished.IsEmpty)
            {
                worker.Fetched = null;
                position = BehindDone(work, start).Position;
                return ResultCode.Ok;
            }
        }

        worker.Fetched = null;
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
            if (mayWait && (row.Info2 & (Info2.Write | Info2.Delete)) == Info2.Write && records is { WritesWait: true }
                && (!IgnoresPause || records.IsWriteCacheFull))
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
    private bool RunRows(
        scoped in BatchWork work, ref BatchReader reader, int count, int limit, ReplyBuffer reply, UnfinishedCommand unfinished)
    {
        var since = worker.Clock.MonotonicNanoseconds;
        var goesOn = true;
        Namespace? measured = null;
        var writes = 0;
        var done = 0;
        _udfs = 0;
        for (; done < count && goesOn && reply.Length < limit && reader.TryNext(out var row); done++)
        {
            measured = _ahead.NamespaceAt(done) ?? measured;
            var start = reply.Length;
            var result = RunRow(work, row, _ahead.NamespaceAt(done), _ahead.DigestAt(done), reply, unfinished);
            if (worker.LacksImage | !unfinished.IsEmpty)
            {
                reply.WindBack(start);
                break;
            }

            var isCall = row.Fields.Has(FieldId.UdfFunction);
            _udfs += isCall ? 1 : 0;
            writes += !isCall && (row.Info2 & Info2.Write) != 0 ? 1 : 0;
            goesOn = !work.Ends(result);
        }

        if (measured is not null && done > 0)
        {
            Measure(measured, done - writes - _udfs, writes, (worker.Clock.MonotonicNanoseconds - since) / done);
        }

        _rowsDone = done;
        return goesOn;
    }

    // The row that lacks its image is where the batch goes on. What the rows behind it will lack is read along with it, as
    // far as it can be told beforehand. `start`: of the last look ahead.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private BatchPosition AskFor(scoped in BatchWork work, BatchPosition start, ImageFetch? images)
    {
        worker.Fetched = null;
        LacksImages = true;
        var missing = worker.TakeMissing();
        var reader = BehindDone(work, start);
        var position = reader.Position;
        if (images is null)
        {
            return position;
        }

        images.Clear();
        images.Add(missing);
        reader.TryNext(out _);
        for (var looks = RowsForeseen; looks > 0 && images.HasRoom && reader.TryNext(out var row); looks--)
        {
            Foresee(row, images);
        }

        images.Start();
        return position;
    }

    // At the first row that was not done of those behind the start of the last look ahead.
    private BatchReader BehindDone(scoped in BatchWork work, BatchPosition start)
    {
        var reader = BatchReader.At(work.Rows, work.Header, start);
        for (var done = 0; done < _rowsDone; done++)
        {
            reader.TryNext(out _);
        }

        return reader;
    }

    private void Foresee(scoped in BatchRow row, ImageFetch images)
    {
        if (namespaces.Find(row.Fields.Namespace) is not { } records || !RecordCommands.NeedsImage(row.Info1, row.Info2, row.Fields))
        {
            return;
        }

        var digest = new Digest(row.Digest);
        using var gate = records.Index.Enter(digest.Partition);
        if (!records.Index.TryFind(digest, out var handle))
        {
            return;
        }

        ref var entry = ref records.Index[handle];
        if (records.IsLive(entry, worker.NowSeconds) && !WritePolicy.RefusesGeneration(row.Info2, row.Generation, entry.Generation))
        {
            records.Foresee(worker, entry, images);
        }
    }

    private ResultCode RunRow(
        scoped in BatchWork work,
        scoped in BatchRow row,
        Namespace? records,
        in Digest digest,
        ReplyBuffer reply,
        UnfinishedCommand unfinished)
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
            SharedFilter = work.Filter,
            Parking = unfinished.Parking,
            OwnsHold = unfinished.Begin(),
            Udf = udfs,
            Deadline = row.Fields.Has(FieldId.UdfFunction) ? DeadlineOf(work) : 0,
        };
        var result = RecordCommands.Run(worker, command, reply);
        unfinished.End();
        return result;
    }

    private long DeadlineOf(scoped in BatchWork work) =>
        work.Deadline != 0 ? work.Deadline : worker.Clock.MonotonicNanoseconds + FunctionNanoseconds;

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

        for (var i = 0; i < _udfs; i++)
        {
            latencies.BatchSubUdf.Record(worker.Number, nanoseconds);
        }
    }
}
