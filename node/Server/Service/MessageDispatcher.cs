using System.Runtime.CompilerServices;
using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Batch;
using Aerie.Server.Config;
using Aerie.Server.Query;
using Aerie.Server.Records;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Commits;
using Aerie.Server.Transactions.Parking;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Service;

internal enum DispatchOutcome : byte
{
    Done,

    /// Length says how long the whole message will be, as far as is known.
    Incomplete,

    /// The connection cannot be trusted to be in step any more.
    Malformed,
}

internal readonly record struct DispatchStep(DispatchOutcome Outcome, long Length, LongReply? LongReply = null);

/// Takes one message at a time from the bytes of a connection and has it carried out. Replies go into the loop's reply
/// buffer, framed; what takes longer than a turn comes back as a LongReply.
internal sealed class MessageDispatcher(
    Worker worker,
    ReplyBuffer reply,
    BufferPool buffers,
    ServiceShared shared,
    BatchLoop batches,
    ParkedCommands parked,
    LoopCommits commits,
    BackgroundQueries background,
    UdfLoop udfs)
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    private static readonly DispatchStep Malformed = new(DispatchOutcome.Malformed, 0);

    private readonly InfoReplies _info = new(reply, shared.Info);
    private readonly LookAhead _ahead = new();
    private readonly Compression _compression = new(buffers);

    private RunParked? _runParked;

    /// Monotonic nanoseconds of the last look at the clock.
    public long Now { get; private set; } = worker.Clock.MonotonicNanoseconds;

    public void BeginTurn() => Now = worker.Clock.MonotonicNanoseconds;

    /// A hint: these bytes will be run in this turn. If they begin with a command on one record, what it needs starts loading.
    public void Foresee(ReadOnlySpan<byte> bytes)
    {
        if (_ahead.Count == LookAhead.Max
            || bytes.Length < ProtoHeader.Length
            || !MessageHeader.TryRead(bytes[ProtoHeader.Length..], out var header)
            || !Fields.TryRead(bytes[(ProtoHeader.Length + MessageHeader.Length)..], header.FieldCount, out var fields)
            || fields.Digest.Length != Digest.Length)
        {
            return;
        }

        _ahead.Add(shared.Namespaces.Find(fields.Namespace), new Digest(fields.Digest));
    }

    /// The same for messages that came one behind the other. Returns how far into the bytes it has looked.
    public int ForeseeAll(ReadOnlySpan<byte> bytes)
    {
        var offset = 0;
        while (_ahead.Count < LookAhead.Max && bytes.Length - offset >= ProtoHeader.Length)
        {
            var length = ProtoHeader.Length + ProtoHeader.Read(bytes[offset..]).BodyLength;
            if (length > bytes.Length - offset)
            {
                break;
            }

            Foresee(bytes.Slice(offset, (int)length));
            offset += (int)length;
        }

        LoadForeseen();
        return offset;
    }

    public void LoadForeseen()
    {
        _ahead.Load();
        _ahead.Clear();
    }

    public DispatchStep RunNext(PortKind port, ReadOnlySpan<byte> bytes)
    {
        if (port == PortKind.Text)
        {
            return RunTextLine(bytes);
        }

        if (bytes.Length < ProtoHeader.Length)
        {
            return new DispatchStep(DispatchOutcome.Incomplete, ProtoHeader.Length);
        }

        var header = ProtoHeader.Read(bytes);
        if (header.Version != ProtoHeader.CurrentVersion || header.BodyLength > ProtoHeader.BodyLengthMax)
        {
            return Malformed;
        }

        var length = ProtoHeader.Length + header.BodyLength;
        if (bytes.Length < length)
        {
            return new DispatchStep(DispatchOutcome.Incomplete, length);
        }

        var step = Run(port, header.Type, bytes[ProtoHeader.Length..(int)length]);
        return step with { Length = length };
    }

    private DispatchStep Run(PortKind port, ProtoType type, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case ProtoType.Message when port == PortKind.Service:
                return RunMessage(body);
            case ProtoType.CompressedMessage when port == PortKind.Service:
                return RunCompressed(body);
            case ProtoType.Info:
                return AnswerInfo(port, body);
            case ProtoType.Security:
                SecurityReplies.NotEnabled(reply);
                return default;
            default:
                return Malformed;
        }
    }

    private DispatchStep RunMessage(ReadOnlySpan<byte> body)
    {
        if (!Request.TryRead(body, out var request))
        {
            RefuseUnread(); // the frame around it was sound: what follows is in step
            return default;
        }

        if ((request.Header.Info1 & Info1.Batch) != 0)
        {
            return StartBatch(request);
        }

        var isRecord = RecordCommands.TryDigest(request.Fields, out var digest);
        if (!isRecord && QueryCommand.Is(request))
        {
            return StartQuery(request);
        }

        var records = shared.Namespaces.Find(request.Fields.Namespace);
        if (records is null || !isRecord)
        {
            Refuse(records is null ? ResultCode.Namespace : ResultCode.Parameter);
            return default;
        }

        if ((request.Header.Info2 & (Info2.Write | Info2.Delete)) == Info2.Write && records.WritesWait
            && Throttle(body, request, records, digest) is { } throttled)
        {
            return throttled;
        }

        parked.Expect(body.Length);
        var start = reply.Length;
        if (TryRunRecord(request, records, digest, ownsHold: false, Now))
        {
            return worker.Commits.IsEmpty ? default : HoldBack(start, request);
        }

        return Park(body, request, records, digest);
    }

    // What few requests need is kept out of RunMessage: the runtime clears all the stack that a method and what it inlines
    // might use, for every request.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private DispatchStep StartBatch(in Request request) =>
        new(DispatchOutcome.Done, 0, BatchCommand.Start(batches, request, reply));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DispatchStep StartQuery(in Request request) =>
        new(DispatchOutcome.Done, 0, QueryCommand.Start(background, request, reply));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DispatchStep Park(ReadOnlySpan<byte> body, in Request request, Namespace records, in Digest digest)
    {
        var order = new ParkingOrder(records, digest, Now, DeadlineOf(request));
        return new DispatchStep(DispatchOutcome.Done, 0, parked.Park(body, order, _runParked ??= RunParked));
    }

    // Answered already, but what the reply says is not safe yet.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private DispatchStep HoldBack(int start, in Request request) =>
        new(DispatchOutcome.Done, 0, commits.Hold(worker, reply, start, DeadlineOf(request), CommitReplyKind.Record));

    // The write waits until its namespace has written out some of what waits, or for a moment while room is made; too many who
    // wait are refused.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private DispatchStep? Throttle(ReadOnlySpan<byte> body, in Request request, Namespace records, in Digest digest)
    {
        var order = new ParkingOrder(records, digest, Now, DeadlineOf(request));
        var pause = records.WritePause;
        var throttled = parked.ParkForRoom(body, order, _runParked ??= RunParked, pause == 0 ? 0 : Now + pause);
        if (throttled is null && !records.IsWriteCacheFull)
        {
            return null; // there are so many that a moment more or less makes no difference
        }

        if (throttled is null)
        {
            CommitReply.WriteStatus(reply, ResultCode.DeviceOverload);
            records.Counters.Add(worker.Number, Metrics.NamespaceCounter.ClientWriteError);
        }

        return new DispatchStep(DispatchOutcome.Done, 0, throttled);
    }

    private long DeadlineOf(in Request request) => Now + TimeoutOf(request);

    private long TimeoutOf(in Request request) =>
        (request.Header.Timeout == 0 ? shared.Options.TransactionMaxMs : request.Header.Timeout) * NanosecondsPerMillisecond;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refuse(ResultCode result)
    {
        shared.Counters.Add(worker.Number, Metrics.NodeCounter.EarlyTsvcClientError);
        var start = BeginFrame();
        RecordCommands.Refuse(reply, 0, result);
        EndFrame(start);
    }

    // False: the command waits for its record or for its image, and nothing was written.
    private bool TryRunRecord(in Request request, Namespace records, in Digest digest, bool ownsHold, long since)
    {
        var start = BeginFrame();
        RecordCommands.Run(worker, CommandOf(request, records, digest, ownsHold, since), reply);
        if (parked.HasQueued | worker.LacksImage)
        {
            reply.WindBack(start);
            return false;
        }

        Measure(records, request, since);
        EndFrame(start);
        if ((request.Header.Info1 & Info1.CompressReply) != 0)
        {
            Compression.CompressReply(reply, start);
        }

        return true;
    }

    // The request was read once before, so it can be read again.
    private bool RunParked(ParkedCommand command)
    {
        var read = Request.TryRead(command.Request, out var request);
        Invariant.Holds(read);
        parked.Expect(0); // it is kept already
        return TryRunRecord(request, command.Order.Namespace, command.Order.Digest, command.OwnsHold, command.Order.Since);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void RefuseUnread()
    {
        shared.Counters.Add(worker.Number, Metrics.NodeCounter.EarlyTsvcClientError);
        const int length = ProtoHeader.Length + MessageHeader.Length;
        reply.Commit(ReplyFormat.WriteStatus(reply.Reserve(length), ResultCode.Parameter));
    }

    private int BeginFrame()
    {
        var start = reply.Length;
        reply.Reserve(ProtoHeader.Length);
        reply.Commit(ProtoHeader.Length);
        return start;
    }

    private void EndFrame(int start) =>
        ProtoHeader.Write(reply.Written(start, ProtoHeader.Length), ProtoType.Message, reply.Length - start - ProtoHeader.Length);

    private RecordCommand CommandOf(in Request request, Namespace records, in Digest digest, bool ownsHold, long since) => new()
    {
        Namespace = records,
        Digest = digest,
        Info1 = request.Header.Info1,
        Info2 = request.Header.Info2,
        Info3 = request.Header.Info3,
        Info4 = request.Header.Info4,
        Generation = request.Header.Generation,
        Ttl = request.Header.Ttl,
        Fields = request.Fields,
        OpBytes = request.OpBytes,
        OpCount = request.Header.OpCount,
        Parking = parked,
        OwnsHold = ownsHold,
        Udf = udfs,
        Deadline = since + TimeoutOf(request),
    };

    // The end of one command is the beginning of the next: one look at the clock for each.
    private void Measure(Namespace records, in Request request, long since)
    {
        var end = worker.Clock.MonotonicNanoseconds;
        var latencies = records.Latencies;
        var histogram = request.Fields.Has(FieldId.UdfFunction) ? latencies.Udf
            : (request.Header.Info2 & Info2.Write) != 0 ? latencies.Write
            : latencies.Read;
        histogram.Record(worker.Number, end - since);
        Now = end;
    }

    private DispatchStep RunCompressed(ReadOnlySpan<byte> body)
    {
        if (!_compression.TryInflate(body, out var message))
        {
            return Malformed;
        }

        try
        {
            var bytes = buffers.Span(message);
            var inner = ProtoHeader.Read(bytes);
            return inner.Type != ProtoType.Message ? Malformed : RunMessage(bytes.Slice(ProtoHeader.Length, (int)inner.BodyLength));
        }
        finally
        {
            buffers.Return(message);
        }
    }

    private DispatchStep RunTextLine(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        if (end < 0)
        {
            return bytes.Length > InfoReplies.TextLineMax
                ? Malformed
                : new DispatchStep(DispatchOutcome.Incomplete, InfoReplies.TextLineMax);
        }

        var start = reply.Length;
        var cuts = CutChanges;
        _info.AnswerText(bytes[..end].TrimEnd((byte)'\r'));
        return new DispatchStep(DispatchOutcome.Done, end + 1, cuts == CutChanges ? null : HoldBackCuts(start, CommitReplyKind.Text));
    }

    private DispatchStep AnswerInfo(PortKind port, ReadOnlySpan<byte> body)
    {
        var start = reply.Length;
        var cuts = CutChanges;
        _info.Answer(body, port);
        shared.Counters.Add(worker.Number, Metrics.NodeCounter.InfoComplete);
        return new DispatchStep(DispatchOutcome.Done, 0, cuts == CutChanges ? null : HoldBackCuts(start, CommitReplyKind.Info));
    }

    private long CutChanges
    {
        get
        {
            var sum = 0L;
            foreach (var records in shared.Namespaces.All)
            {
                sum += records.CutChanges;
            }

            return sum;
        }
    }

    // Who is told that records are gone must not find them again after a crash. Another loop's truncation in the same moment
    // makes an answer wait in vain, and only briefly.
    private CommitReply? HoldBackCuts(int start, CommitReplyKind kind)
    {
        foreach (var records in shared.Namespaces.All)
        {
            if (records.Log.IsPersistent)
            {
                worker.Commits.AddCuts(records);
            }
        }

        return worker.Commits.IsEmpty ? null : commits.Hold(worker, reply, start, 0, kind);
    }
}
