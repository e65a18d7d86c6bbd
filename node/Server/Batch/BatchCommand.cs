using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Commits;

namespace Aerie.Server.Batch;

/// The start of a batch: check it, carry out a first stretch of rows at once, straight from the received buffer. Nearly all
/// batches end there; of the others a BatchJob goes on with a copy of the rows.
internal static class BatchCommand
{
    public static LongReply? Start(BatchLoop batches, in Request request, ReplyBuffer reply)
    {
        var worker = batches.Worker;
        var started = worker.Clock.MonotonicNanoseconds;
        batches.Shared.Counters.Add(worker.Number, NodeCounter.BatchIndexInitiate);
        var start = reply.Length;
        var frame = ReplyFrame.Begin(reply);
        var result = Check(worker, request, batches.Shared.RequestsMax(), out var rows, out var flags, out var position);
        var work = new BatchWork(rows, request.Header, flags, request.Fields.Get(FieldId.Filter), started);
        var unfinished = batches.RentUnfinished();
        if (result == ResultCode.Ok)
        {
            result = batches.Run.Run(work, ref position, BatchJob.RowsPerStep, reply, unfinished, images: null);
        }

        if (result == ResultCode.Ok && position.RowsLeft > 0)
        {
            frame.End(work.Compresses);
            var job = batches.Begin(work, position, started, unfinished);
            job.HoldBackIfNeeded(reply, start);
            return job;
        }

        batches.ReturnUnfinished(unfinished);
        frame.AddLast(result);
        frame.End(work.Compresses);
        batches.Count(result, started);
        if (worker.Commits.IsEmpty)
        {
            return null;
        }

        return batches.Commits.Hold(worker, reply, start, work.Deadline, CommitReplyKind.Batch);
    }

    private static ResultCode Check(
        Worker worker, in Request request, long requestsMax, out ReadOnlySpan<byte> rows, out BatchFlags flags, out BatchPosition position)
    {
        flags = BatchFlags.None;
        position = default;
        var fields = request.Fields;
        if (!fields.TryGet(FieldId.BatchWithSet, out rows) && !fields.TryGet(FieldId.Batch, out rows))
        {
            return ResultCode.Parameter;
        }

        if (!BatchReader.TryStart(rows, out var count, out flags, out position) || count == 0)
        {
            return ResultCode.Parameter;
        }

        return requestsMax != 0 && count > requestsMax ? ResultCode.BatchMaxRequests : CheckFilter(worker, fields);
    }

    // Compiled once more for the rows, which costs nothing: it is the same.
    private static ResultCode CheckFilter(Worker worker, in Fields fields)
    {
        if (!fields.TryGet(FieldId.Filter, out var packed))
        {
            return ResultCode.Ok;
        }

        var result = RecordFilter.Begin(worker, packed);
        RecordFilter.End(worker);
        return result;
    }
}
