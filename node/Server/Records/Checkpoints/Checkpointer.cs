using Aerie.Foundation;
using Aerie.Io;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.Storage.Devices.Checkpoints;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Checkpoints;

/// What the flusher is to name in the metadata after its next flush; a place of null: nothing.
internal sealed record CheckpointNaming(CheckpointPlace? Place);

/// Takes the checkpoints of one namespace on devices: decides when, steps the run, has it named by the flusher, and frees the
/// one before. One thread steps it. Checkpoints are there to be lost: whatever goes wrong costs a later start its speed only.
///
///   idle ──due──► taking ──all written──► naming ──saved──► idle
///    └──short of blocks──► naming (nothing) ──saved──► idle
public sealed class Checkpointer : IDisposable
{
    private const long StepNanoseconds = 500_000;

    /// Ends a step even when time stands still, as it does in simulations.
    private const int PiecesMax = 4096;

    /// Of one core, and of the time of a device.
    private const int SharePercent = 25;

    private const int LookMilliseconds = 500;
    private const int WaitMilliseconds = 5;

    private readonly Namespace _records;
    private readonly DeviceBacking _backing;
    private readonly IClock _clock;
    private readonly ILogger _log;
    private readonly NamespaceRegister _register;
    private volatile CheckpointNaming? _ready;
    private CheckpointRun? _run;
    private CheckpointPlace? _held;
    private long _appended;
    private long _since;
    private bool _hasBegun;
    private string? _warned;

    internal Checkpointer(Namespace records, DeviceBacking backing, IClock clock, ILogger log)
    {
        _records = records;
        _backing = backing;
        _clock = clock;
        _log = log;
        _register = records.Register!;
        _since = clock.MonotonicNanoseconds;
        BlocksSpared = records.Log.Stripes + 1 + RecordLog.BlocksReservedForDefrag;
    }

    public Namespace Records => _records;

    /// Checkpoints taken since the start. Any thread.
    public long Taken { get; private set; }

    /// Free blocks that are left to records: one for each writer, and the reserve.
    internal int BlocksSpared { get; set; }

    /// For the flusher: all blocks of it are written. Any thread.
    internal CheckpointNaming? Ready => _ready;

    internal bool IsBusy => _run is not null || _ready is not null;

    /// Null in memory, with a file or without: a start reads all records anyway.
    internal static Checkpointer? Of(Namespace records, IClock clock, ILogger log) =>
        records.Storage?.Backing is DeviceBacking backing && !records.Options.Storage.IsMemory
            ? new Checkpointer(records, backing, clock, log)
            : null;

    /// Works for a moment. Returns in how many milliseconds it wants to go on.
    public int Step(int piecesMax = PiecesMax)
    {
        Begin();
        if (_ready is not null)
        {
            return EndNaming() ? 0 : Wait();
        }

        if (IsShort)
        {
            return MakeRoom();
        }

        if (_run is null)
        {
            return TryStart(isForced: false) ? 0 : LookMilliseconds;
        }

        var begun = _clock.MonotonicNanoseconds;
        var step = Advance(begun + StepNanoseconds, piecesMax);
        var worked = _clock.MonotonicNanoseconds - begun;
        return step == CheckpointStep.WaitsForFlush ? Wait() : (int)(worked * (100 - SharePercent) / SharePercent / 1_000_000) + 1;
    }

    /// The end: nobody writes any more, and all is flushed. Takes a last one, at full speed, unless the one that there is says it
    /// all. `flush` writes out and names what is ready; it throws what a device says.
    internal void Finish(Action flush)
    {
        Begin();
        Abandon();
        if (_ready is not null)
        {
            flush();
            EndNaming();
        }

        if ((_held is not null && _records.Log.Appended == _appended) || IsShort || !TryStart(isForced: true))
        {
            return;
        }

        while (IsBusy)
        {
            if (_ready is not null || Advance(long.MaxValue, PiecesMax) == CheckpointStep.WaitsForFlush)
            {
                flush();
            }

            if (_ready is not null && EndNaming())
            {
                return;
            }
        }
    }

    /// Takes one now whatever the pace says. For tests.
    internal bool TryStart(bool isForced)
    {
        Begin();
        var now = _clock.MonotonicNanoseconds;
        var need = new CheckpointNeed(
            _held is not null,
            (_held?.Blocks.Length ?? 0) * (long)DeviceLayout.BlockLength,
            (_records.Log.Appended - _appended) * StorageUnit.Length,
            _records.Log.UsedBytes == 0,
            now - _since);
        if (IsBusy || (!isForced && !CheckpointPace.IsDue(need)))
        {
            return false;
        }

        _since = now;
        var spared = Spared;
        if (_records.Log.FreeBlocks - CheckpointRun.BlocksNeeded(_records, _backing) < spared)
        {
            WarnOnce("there are not enough free blocks for one");
            return false;
        }

        _run = new CheckpointRun(_records, _backing, spared);
        return true;
    }

    public void Dispose() => _run?.Dispose();

    // Writers are refused, or about to be: room for records comes first.
    private bool IsShort => _records.Log.FreeBlocks + _records.Log.QuarantinedBlocks <= RecordLog.BlocksReservedForDefrag;

    // Taking a checkpoint must not stop writes.
    private int Spared => Math.Max(
        BlocksSpared, (int)((_records.Log.BlockCount * (long)(_records.Options.Storage.StopWritesAvailPct + 1) / 100) + 1));

    private void Begin()
    {
        if (!_hasBegun)
        {
            _hasBegun = true; // behind the restart, which is done only after this was made
            _held = _register.SavedCheckpoint;
            _appended = _records.Log.Appended - _register.TailAtStart;
        }
    }

    private int Wait()
    {
        _records.FlushSignal.Ask();
        return WaitMilliseconds;
    }

    private CheckpointStep Advance(long until, int piecesMax)
    {
        try
        {
            var step = CheckpointStep.More;
            for (var pieces = 0; pieces < piecesMax && step == CheckpointStep.More; pieces++)
            {
                step = _run!.Step();
                if (_clock.MonotonicNanoseconds >= until)
                {
                    break;
                }
            }

            switch (step)
            {
                case CheckpointStep.Done:
                    _ready = new CheckpointNaming(_run!.Place());
                    break;
                case CheckpointStep.NoRoom:
                    Abandon();
                    WarnOnce("free blocks have become too few for one");
                    break;
            }

            return step;
        }
        catch (DeviceException failure)
        {
            Abandon();
            WarnOnce(failure.Message);
            return CheckpointStep.NoRoom;
        }
    }

    // Saved: a restart finds the new one or none, and nothing needs the old one any more.
    private bool EndNaming()
    {
        var place = _ready!.Place;
        if (!ReferenceEquals(_register.SavedCheckpoint, place))
        {
            return false;
        }

        foreach (var block in _held?.Blocks ?? [])
        {
            _records.Log.GiveBack(block);
        }

        _held = place;
        _ready = null;
        if (_run is not null)
        {
            NoteTaken(_run, place!);
        }

        return true;
    }

    private void NoteTaken(CheckpointRun run, CheckpointPlace place)
    {
        _appended = run.Appended;
        _log.LogInformation(
            "{{{Namespace}}} checkpoint of {Records} records in {Blocks} blocks after {Milliseconds} ms",
            _records.Name, run.Rows, place.Blocks.Length, (_clock.MonotonicNanoseconds - _since) / 1_000_000);
        run.Dispose();
        _run = null;
        _warned = null;
        Taken++;
    }

    private int MakeRoom()
    {
        Abandon();
        if (_held is null)
        {
            return LookMilliseconds;
        }

        WarnOnce("its blocks are needed for records");
        _since = _clock.MonotonicNanoseconds;
        _ready = new CheckpointNaming(null);
        return Wait();
    }

    // One that the flusher was told of stays until it is clear whether it was named.
    private void Abandon()
    {
        if (_run is not null && _ready is null)
        {
            _run.GiveUp();
            _run.Dispose();
            _run = null;
        }
    }

    private void WarnOnce(string reason)
    {
        if (_warned != reason)
        {
            _warned = reason;
            _log.LogWarning("{{{Namespace}}} no checkpoint: {Reason}; a start reads more until there is one", _records.Name, reason);
        }
    }
}
