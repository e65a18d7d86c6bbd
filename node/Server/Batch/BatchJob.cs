using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Records.Fetching;
using Aerie.Server.Records.Flushing;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Commits;
using Aerie.Server.Transactions.Parking;

namespace Aerie.Server.Batch;

/// A batch too large for one turn. Each step carries out some hundred rows; of really large batches other loops take slices
/// meanwhile, and their finished frames go out as they come. Rows of a batch may be answered in any order.
///
/// The rows lie in a buffer of the home loop that slices read from other threads. It is returned only when the connection
/// is done with the job AND no slice is out, whichever comes last; then the job is free for the next batch.
internal sealed class BatchJob(BatchLoop home) : LongReply, IImageUser
{
    /// About 150 microseconds of reads.
    public const int RowsPerStep = 256;

    /// Below this, waking other loops costs more than it saves.
    private const int SpreadRowsMin = 4096;

    /// One in work and one waiting: the other loop does not fall idle while the first result travels. It also bounds what
    /// waits here for a peer that does not read.
    private const int SlicesPerLoop = 2;

    private readonly BatchShared _shared = home.Shared;
    private readonly CommitHold _hold = home.Commits.NewHold();
    private bool _holdsLast;
    private readonly Stack<BatchPosition> _leftovers = new();
    private readonly Queue<BatchSlice> _finished = new();
    private readonly Stack<BatchSlice> _idleSlices = new();
    private int[] _slicesOut = [];
    private int _outstanding;
    private BufferId _copy = BufferId.None;
    private BufferView _view;
    private int _length;
    private int _filterLength;
    private MessageHeader _header;
    private BatchFlags _flags;
    private BatchPosition _frontier;
    private BatchPosition _local;
    private ImageFetch? _images;
    private UnfinishedCommand? _unfinished;
    private Action? _wakeUp;
    private bool _spreads;
    private long _started;
    private long _deadline;
    private long _pausesUntil;
    private ResultCode _result;
    private bool _isOver;
    private volatile bool _isCancelled;

    public BatchLoop Home => home;

    /// Slices not yet begun need not be carried out any more. Any thread.
    public bool IsCancelled => _isCancelled;

    /// The rows, readable from any thread while a slice is out.
    public BatchWork Work => new(_view.Bytes[.._length], _header, _flags, _view.Bytes.Slice(_length, _filterLength), _started);

    public override bool HoldsRecord => _unfinished is { HoldsRecord: true };

    public void Take(scoped in BatchWork work, BatchPosition position, long started, UnfinishedCommand unfinished)
    {
        _length = work.Rows.Length;
        _filterLength = work.Filter.Length;
        _copy = home.Buffers.Rent(_length + _filterLength);
        work.Rows.CopyTo(home.Buffers.Span(_copy));
        work.Filter.CopyTo(home.Buffers.Span(_copy)[_length..]);
        _view = home.Buffers.View(_copy);
        _header = work.Header;
        _flags = work.Flags;
        _frontier = unfinished.IsEmpty ? position : default;
        _local = unfinished.IsEmpty ? default : position;
        _unfinished = unfinished;
        unfinished.ItsTurnCame = _wakeUp ??= () => home.WakeUp(this);
        _spreads = _shared.Loops.Length > 1 && work.RespondsAllKeys && position.RowsLeft >= SpreadRowsMin && !_shared.MayCommit;
        if (_slicesOut.Length != _shared.Loops.Length)
        {
            _slicesOut = new int[_shared.Loops.Length];
        }

        _started = started;
        _deadline = work.Deadline == 0 ? long.MaxValue : work.Deadline;
        _result = ResultCode.Ok;
        _isOver = false;
        _isCancelled = false;
        _images = home.RentImages(this);
        _pausesUntil = 0;
        WakeAt = 0;
    }

    public override LongReplyProgress Step(Worker worker, ReplyBuffer reply)
    {
        if (worker.Clock.MonotonicNanoseconds > _deadline)
        {
            Stop(ResultCode.Timeout); // the client has given up
            _hold.Drop();
        }

        if (_hold.IsHolding)
        {
            switch (_hold.Look(this))
            {
                case CommitState.Safe:
                    _hold.Release(reply);
                    return _holdsLast ? LongReplyProgress.Done : LongReplyProgress.More;
                case CommitState.Waiting:
                    return LongReplyProgress.Waiting;
                default:
                    Stop(ResultCode.Unknown);
                    _hold.Drop();
                    break;
            }
        }

        if (_finished.TryDequeue(out var slice))
        {
            reply.Give(slice.TakeResult(), slice.Length);
            _idleSlices.Push(slice);
            HandOut();
            return LongReplyProgress.More;
        }

        HandOut();
        return RunPiece(reply);
    }

    private LongReplyProgress RunPiece(ReplyBuffer reply)
    {
        if (home.Worker.Clock.MonotonicNanoseconds < _pausesUntil)
        {
            WakeAt = Math.Min(_pausesUntil, _deadline);
            return LongReplyProgress.Waiting;
        }

        var start = reply.Length;
        var frame = ReplyFrame.Begin(reply);
        Namespace? waitsFor = null;
        if (!IsStopped && TryTakeLocal(out var piece))
        {
            RunHere(piece, reply);
            waitsFor = home.Run.WaitsFor;
        }

        var isDone = _outstanding == 0 && _finished.Count == 0 && !HasPieces && _local.RowsLeft == 0;
        if (isDone)
        {
            frame.AddLast(_result);
        }

        frame.End(Work.Compresses);
        WakeAt = IsStopped && _deadline != long.MaxValue ? _deadline + 1 : 0;
        if (HoldBackIfNeeded(reply, start))
        {
            _holdsLast = isDone;
            return LongReplyProgress.More;
        }

        var hasRows = HasPieces || _local.RowsLeft > 0;
        if (waitsFor is not null && hasRows && (waitsFor.IsWriteCacheFull ? IsStillFull(waitsFor) : Pauses(waitsFor)))
        {
            return LongReplyProgress.Waiting;
        }

        var goesOn = _finished.Count > 0 || (!IsStopped && hasRows);
        return isDone ? LongReplyProgress.Done : goesOn ? LongReplyProgress.More : LongReplyProgress.Waiting;
    }

    /// Rows in this frame have changed what is not safe yet: the frame, and the rows behind it, wait for that.
    public bool HoldBackIfNeeded(ReplyBuffer reply, int start)
    {
        if (home.Worker.Commits.IsEmpty)
        {
            return false;
        }

        _hold.Take(home.Worker, reply, start);
        _holdsLast = false;
        return true;
    }

    public override void End(bool completed)
    {
        Invariant.Holds(!_isOver);
        _isOver = true;
        _hold.Drop();
        Stop(completed ? _result : ResultCode.Unknown);
        home.ReturnImages(_images!);
        _images = null;
        home.ReturnUnfinished(_unfinished!);
        _unfinished = null;
        home.Count(_result, _started);
        FreeIfDone();
    }

    public void ImagesArrived() => home.WakeUp(this);

    /// A slice comes home. On the home loop.
    public void Returned(BatchSlice slice)
    {
        _outstanding--;
        _slicesOut[slice.LoopNumber]--;
        if (slice.Left.RowsLeft > 0 && !_isCancelled)
        {
            _leftovers.Push(slice.Left);
        }

        if (slice.HasResult && !_isCancelled)
        {
            _finished.Enqueue(slice);
        }
        else
        {
            slice.DropResult();
            _idleSlices.Push(slice);
        }

        if (_isOver)
        {
            FreeIfDone();
        }
        else
        {
            home.WakeUp(this);
        }
    }

    // Looks again after it has asked to be woken: the round that makes room may be the one that ends just now.
    private bool IsStillFull(Namespace records)
    {
        home.Commits.Waits.Add(this);
        records.FlushSignal.Ask();
        return records.IsWriteCacheFull;
    }

    // Once for each piece: the rows then run, or a batch would wait for ever while others write.
    private bool Pauses(Namespace records)
    {
        var now = home.Worker.Clock.MonotonicNanoseconds;
        _pausesUntil = now + records.WritePause;
        WakeAt = Math.Min(_pausesUntil, _deadline);
        return _pausesUntil > now;
    }

    // The row at which it stands waits for its image, or for its record.
    private bool IsStopped => _images!.IsWaiting || _unfinished!.IsQueued;

    private bool HasPieces => _leftovers.Count > 0 || _frontier.RowsLeft > 0;

    // Nothing more is begun, and nothing that was not sent yet will be.
    private void Stop(ResultCode result)
    {
        _result = result;
        _isCancelled = true;
        _frontier = default;
        _local = default;
        _images!.Clear();
        _unfinished!.GiveUp();
        _leftovers.Clear();
        while (_finished.TryDequeue(out var slice))
        {
            slice.DropResult();
            _idleSlices.Push(slice);
        }
    }

    private void RunHere(BatchPosition piece, ReplyBuffer reply)
    {
        home.Run.IgnoresPause = _pausesUntil != 0;
        _pausesUntil = 0;
        var rows = HoldsRecord ? 1 : RowsPerStep; // a peer that does not read gets what others wait for, and no more
        var result = home.Run.Run(Work, ref piece, rows, reply, _unfinished!, _images);
        home.Run.IgnoresPause = false;
        if (result != ResultCode.Ok)
        {
            Stop(result);
        }
        else if (piece.RowsLeft == 0)
        {
            _images!.Clear();
        }
        else if (_images!.IsEmpty && _unfinished!.IsEmpty)
        {
            _leftovers.Push(piece);
        }
        else
        {
            _local = piece; // what was read for it or will be, and what it has begun, is here
        }
    }

    private bool TryTakeLocal(out BatchPosition piece)
    {
        piece = _local;
        _local = default;
        return piece.RowsLeft > 0 || TryTakePiece(out piece);
    }

    private void HandOut()
    {
        if (!_spreads)
        {
            return;
        }

        for (var i = 0; i < _shared.Loops.Length; i++) // an enumerator would be an allocation
        {
            var loop = _shared.Loops[i];
            while (loop != home && _slicesOut[loop.Worker.Number] < SlicesPerLoop && TryTakePiece(out var piece))
            {
                var slice = _idleSlices.Count > 0 ? _idleSlices.Pop() : new BatchSlice(this);
                _outstanding++;
                _slicesOut[loop.Worker.Number]++;
                slice.GoTo(loop, piece);
            }
        }
    }

    // Alone, the job goes on from where it stopped. With others it cuts pieces off the front: that needs a walk over
    // their rows, because where the next piece begins, and what its first row may repeat, only the walk tells.
    private bool TryTakePiece(out BatchPosition piece)
    {
        if (_leftovers.TryPop(out piece))
        {
            return true;
        }

        piece = _frontier;
        if (!_spreads || piece.RowsLeft == 0)
        {
            _frontier = default;
            return piece.RowsLeft > 0;
        }

        var reader = BatchReader.At(_view.Bytes[.._length], _header, _frontier);
        var walked = 0;
        while (walked < RowsPerStep && reader.TryNext(out _))
        {
            walked++;
        }

        piece = piece with { RowsLeft = walked };
        _frontier = reader.Position;
        if (reader.Malformed)
        {
            _frontier = default;
            _result = ResultCode.Parameter;
        }

        return walked > 0;
    }

    private void FreeIfDone()
    {
        if (_outstanding > 0)
        {
            return;
        }

        home.Buffers.Return(_copy);
        _copy = BufferId.None;
        _view = default;
        home.Ended(this);
    }
}
