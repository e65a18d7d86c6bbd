using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Node.Tests.Records.Checkpoints;
using Aerie.Node.Tests.Records.Flushing;
using Aerie.Protocol;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Restart.Crashes;

internal enum CrashKind
{
    Any,
    WithCheckpoints,
    WithShadow,
}

/// One storage through several lives: clients, housekeeping and flushes by chance, devices that fail, and at the end of each
/// life the power does. Everything follows from the seed.
internal sealed class CrashRun
{
    private const int KeysMax = 200;
    private const int StepsMax = 90;
    private const int LivesMax = 6;
    private const int AttemptsMax = 20;
    private const int PatienceMilliseconds = 60_000;

    private readonly Random _random;
    private readonly SimulatedDisk _disk = new();
    private readonly CrashModel _model;
    private readonly StringBuilder _story = new();
    private long _now = 1_800_000_000_000;
    private DeviceNode _node = null!;
    private SimulatedPeer _peer = null!;
    private bool _isFailing;

    /// Device and shadow hold the same: until a crash, which may lose different writes of each; a start evens them out.
    private bool _isShadowEqual = true;

    public CrashRun(int seed, CrashKind kind)
    {
        _random = new Random(seed);
        Plan = CrashPlan.Of(_random);
        Plan = kind switch
        {
            CrashKind.WithCheckpoints => Plan.WithCheckpoints(_random),
            CrashKind.WithShadow => Plan.WithShadow(),
            _ => Plan,
        };
        _model = new CrashModel(_random.Next(20, KeysMax));
    }

    public CrashPlan Plan { get; }

    /// Starts that relied on a checkpoint.
    public int Loads { get; private set; }

    /// What was done, for whoever looks into a failure.
    public string Story => _story.ToString();

    public void Run()
    {
        foreach (var path in Plan.Paths())
        {
            _disk.Add(path, Plan.Length);
        }

        var lives = _random.Next(2, LivesMax + 1);
        for (var life = 0; life < lives; life++)
        {
            Start();
            using (_node)
            {
                Begin();
                Live();
                End();
            }

            Crash();
        }

        Start();
        using (_node)
        {
            Begin();
        }
    }

    // ---- begin and end of a life ----

    // Formatting, taking over a shadow and reading back may be cut short as well, several times in a row.
    private void Start()
    {
        for (var attempt = 0; ; attempt++)
        {
            var isPlanned = attempt < 3 && _random.Next(3) == 0;
            if (isPlanned)
            {
                SomeMedium().Fail((DiskOperation)_random.Next(1, 3), after: _random.Next(12));
            }

            try
            {
                _node = Plan.Start(_disk, _now);
                _peer = _node.Under.Connect();
                _isShadowEqual = true;
                break;
            }
            catch (Exception failure) when (attempt < AttemptsMax
                && (failure is DeviceException || (failure is StorageException && isPlanned)))
            {
                Tell($"start fails: {failure.Message}");
                Crash();
            }
        }

        Heal();
    }

    private void Begin()
    {
        CompareWithScan();
        Check();
    }

    // What the checkpoint and its tail say, against all that is there.
    private void CompareWithScan()
    {
        if (!Plan.TakesCheckpoints)
        {
            return;
        }

        _node.Node.Checkpointers[0].BlocksSpared = _random.Next(2);
        // One that the metadata names is whole, whatever has happened.
        Assert.DoesNotContain(_node.Logs.Lines, static line => line.Contains("the checkpoint is not used", StringComparison.Ordinal));
        if (_node.Logs.LinesWith("loading the checkpoint") == 0)
        {
            return;
        }

        Loads++;
        var loaded = new IndexPicture(_node);
        loaded.MustBalance();
        using var scanned = Plan.Start(_disk.Copy(), _now, ignoresCheckpoint: true);
        var picture = new IndexPicture(scanned);
        picture.MustBalance();
        Tell($"{loaded.Count} records from the checkpoint, {picture.Count} from a scan");
        loaded.MustEqual(picture);
    }

    private void Check()
    {
        var found = 0;
        for (var key = 0; key < _model.Keys; key++)
        {
            var value = Get(key);
            found += value is null ? 0 : 1;
            if (_model.Found(key, value, Seconds) is { } wrong)
            {
                Assert.Fail(wrong);
            }
        }

        _model.Restarted();
        Books.MustBalance(_node.Records);
        Assert.Equal(found, Books.LiveRecords(_node.Records, Seconds));
        Tell($"{found} records found");
    }

    private void End()
    {
        switch (_random.Next(6))
        {
            case 0:
                var last = _model.Last;
                if (_node.Node.Flushers[0].TryEnd())
                {
                    Tell("clean end");
                    _model.AreSafe(last);
                }

                break;
            case 1:
                SendAndForget();
                break;
        }

        _now = _node.Clock.UnixMilliseconds + _random.Next(3000);
    }

    private void Crash()
    {
        Heal();
        _disk.Crash(_random.Next());
        if (Plan.HasShadow && _isShadowEqual && _random.Next(4) == 0)
        {
            Tell("the device is lost, its shadow is there");
            _disk.Remove(DeviceNode.Path);
            _disk.Add(DeviceNode.Path, Plan.Length);
        }
        else
        {
            _isShadowEqual = false;
        }

        Tell("crash");
    }

    // ---- a life ----

    private void Live()
    {
        for (var steps = _random.Next(StepsMax); steps > 0; steps--)
        {
            var last = _model.Last;
            var rounds = _node.Node.Flushers[0].Rounds;
            Step();
            if (_node.Node.Flushers[0].Rounds > rounds)
            {
                _model.AreSafe(last);
            }

            _node.Clock.Advance(TimeSpan.FromMilliseconds(_random.Next(50)));
            if (_node.Records.StorageFailure is not null && _random.Next(3) == 0)
            {
                if (_random.Next(2) == 0)
                {
                    return;
                }

                Heal();
                _node.Clock.Advance(TimeSpan.FromSeconds(1.5));
            }
        }
    }

    private void Step()
    {
        if (Plan.TakesCheckpoints && _random.Next(4) == 0)
        {
            TakeCheckpoint();
            return;
        }

        switch (_random.Next(100))
        {
            case < 52:
                Put(_random.Next(_model.Keys));
                break;
            case < 56:
                Overwrite();
                break;
            case < 74:
                Delete(_random.Next(_model.Keys));
                break;
            case < 80:
                Read(_random.Next(_model.Keys));
                break;
            case < 86:
                KeepHouse();
                break;
            case < 92:
                Flush();
                break;
            case < 94:
                Truncate();
                break;
            case < 97:
                PlanFault();
                break;
            default:
                DeleteMany();
                break;
        }
    }

    // Fills a block and leaves next to nothing alive in it.
    private void Overwrite()
    {
        var (first, keys) = (_random.Next(_model.Keys), _random.Next(1, 4));
        for (var i = _random.Next(4, 12); i > 0; i--)
        {
            Put((first + (i % keys)) % _model.Keys, _random.Next(700_000, 1_000_000));
        }
    }

    private void Put(int key) =>
        Put(key, _random.Next(100) < Plan.LargeValues ? _random.Next(200_000, 900_000) : _random.Next(8, 3000));

    private void Put(int key, int length)
    {
        var ttl = _random.Next(6) == 0 ? (uint)_random.Next(1, 15) : 0;
        var value = new State(_model.Last + 1, length, State.Forever, State.Forever).Value();
        var earliest = ttl == 0 ? State.Forever : Seconds + ttl; // a write that waits for room begins its life later
        var reply = Ask(WireRequest.Write(Key(key), Set(key)).Ttl(ttl).Op(OpCode.Write, "b", ParticleType.Bytes, value));
        var isSure = reply.Result == ResultCode.Ok;
        var (least, most) = isSure ? (reply.VoidTime, reply.VoidTime) : (earliest, ttl == 0 ? State.Forever : Seconds + ttl);
        Tell($"put {key} #{_model.Last + 1} of {length} bytes, ttl {ttl}: {reply.Result}");
        if (isSure)
        {
            Assert.InRange(reply.VoidTime, earliest, ttl == 0 ? State.Forever : Seconds + ttl);
        }

        if (WasDone(reply.Result))
        {
            _model.Put(key, length, least, most);
            NoteCommit(key, reply.Result);
        }
    }

    private void Delete(int key)
    {
        var latest = _model.Latest(key);
        var (mayBeGone, isSurelyGone) = (latest.MayBeGoneAt(Seconds), latest.IsSurelyGoneAt(Seconds));
        var request = WireRequest.Delete(Key(key), Set(key));
        var result = Ask(_random.Next(3) == 0 ? request.Flags(Info2.DurableDelete) : request).Result;
        Tell($"delete {key}: {result}");
        Assert.True(result == ResultCode.NotFound ? mayBeGone : !isSurelyGone, $"delete of key {key}, {latest}: {result}");
        if (result != ResultCode.NotFound && WasDone(result))
        {
            _model.Delete(key);
            NoteCommit(key, result);
        }
    }

    private void DeleteMany()
    {
        var first = _random.Next(_model.Keys);
        for (var key = first; key < Math.Min(_model.Keys, first + 30); key++)
        {
            if (!_model.Latest(key).MayBeGoneAt(Seconds))
            {
                Delete(key);
            }
        }
    }

    private void Read(int key) =>
        Assert.True(_model.Latest(key).Is(Get(key), Seconds), $"key {key} is not {_model.Latest(key)}");

    // With and without flushes between: what relies on a flush must wait for it.
    private void KeepHouse()
    {
        var steps = _random.Next(2, 40);
        var flushes = _random.Next(3) == 0;
        Tell($"keep house, {steps} steps{(flushes ? " and flushes" : "")}");
        for (; steps > 0; steps--)
        {
            var rest = _node.Node.Housekeeper.Step(_node.Node.HousekeepingWorker);
            if (flushes)
            {
                _node.Node.Flushers[0].Step();
            }

            _node.Clock.Advance(TimeSpan.FromMilliseconds(Math.Max(1, rest)));
        }
    }

    private void Flush()
    {
        _node.Records.FlushSignal.Ask();
        _node.Node.Flushers[0].Step();
        Tell($"flush: {_node.Records.StorageFailure ?? "ok"}");
    }

    // Piece by piece, so that anything may come between two of them.
    private void TakeCheckpoint()
    {
        var checkpointer = _node.Node.Checkpointers[0];
        var isNew = checkpointer.TryStart(isForced: true);
        var steps = _random.Next(1, 4);
        for (var step = 0; step < steps; step++)
        {
            checkpointer.Step(_random.Next(1, 250));
            if (_random.Next(4) == 0)
            {
                _node.Node.Flushers[0].Step();
            }
        }

        Tell($"checkpoint: {(isNew ? "begun, " : "")}{steps} steps, {checkpointer.Taken} taken{(checkpointer.IsBusy ? ", busy" : "")}");
    }

    private void Truncate()
    {
        var set = _random.Next(4);
        Server.Records.RecordSet? found = null;
        if (set != 3 && !_node.Records.Sets.TryFind(Encoding.UTF8.GetBytes(Set(set)), out found))
        {
            return;
        }

        var updates = _node.Node.LastUpdateClock;
        var now = updates.Advance(CitrusTime.Milliseconds(_node.Clock.UnixMilliseconds));
        _node.Records.Truncate(found, updates.Advance(now + 1));
        Tell(set == 3 ? "truncate all" : $"truncate set {set}");
        for (var key = 0; key < _model.Keys; key++)
        {
            if ((set == 3 || key % 3 == set) && !_model.Latest(key).IsGone)
            {
                _model.Delete(key);
            }
        }
    }

    private void PlanFault()
    {
        var operation = (DiskOperation)_random.Next(1, 3);
        var after = _random.Next(15);
        var times = _random.Next(2) == 0 ? int.MaxValue : _random.Next(1, 4);
        SomeMedium().Fail(operation, after: after, times: times);
        _isFailing = true;
        Tell($"{operation} fails after {after}, {times} times");
    }

    // The power fails before the reply.
    private void SendAndForget()
    {
        var key = _random.Next(_model.Keys);
        var state = _model.Put(key, _random.Next(8, 100_000), State.Forever);
        _peer.Send(WireRequest.Write(Key(key), Set(key)).Op(OpCode.Write, "b", ParticleType.Bytes, state.Value()).Bytes());
        for (var i = 0; i < 5; i++)
        {
            _node.Node.Loops[0].Turn(0);
        }

        Tell($"put {key} {state}: no reply");
    }

    // ---- helpers ----

    private uint Seconds => CitrusTime.Seconds(_node.Clock.UnixMilliseconds);

    private static string Key(int key) => $"k{key}";

    private static string Set(int key) => $"s{key % 3}";

    private SimulatedMedium SomeMedium() => _disk[Plan.Paths().ElementAt(_random.Next(Plan.Paths().Count()))];

    private void Heal()
    {
        foreach (var path in Plan.Paths())
        {
            _disk[path].Heal();
        }

        _isFailing = false;
    }

    // A write waits a moment while the defragmenter is short of room, and while devices fail nobody is answered before the next
    // attempt to write, which comes a second later.
    private WireReply Ask(WireRequest request)
    {
        var reply = _node.Under.Ask(_peer, request.Timeout(PatienceMilliseconds).Bytes());
        if (reply.Length == 0)
        {
            reply = ReadAfter(TimeSpan.FromMilliseconds(60));
        }

        if (reply.Length == 0 && _isFailing)
        {
            reply = ReadAfter(TimeSpan.FromSeconds(1.1));
        }

        return Assert.Single(WireReply.ReadAll(reply));
    }

    private byte[] ReadAfter(TimeSpan time)
    {
        _node.Clock.Advance(time);
        _node.Under.Settle();
        return _peer.ReadAll();
    }

    // A refusal has changed nothing. An unknown end: the records are changed, but nobody knows when that is safe.
    private bool WasDone(ResultCode result)
    {
        Assert.True(result is ResultCode.Ok or ResultCode.OutOfSpace || (result == ResultCode.Unknown && _isFailing), $"{result}");
        return result != ResultCode.OutOfSpace;
    }

    private void NoteCommit(int key, ResultCode result)
    {
        if (Plan.Commits && result == ResultCode.Ok)
        {
            _model.IsSafe(key);
        }
    }

    private byte[]? Get(int key)
    {
        var reply = Assert.Single(WireReply.ReadAll(_node.Under.Ask(_peer, WireRequest.Get(Key(key), Set(key)).Bytes())));
        Assert.True(reply.Result is ResultCode.Ok or ResultCode.NotFound, $"get of key {key}: {reply.Result}");
        return reply.Result == ResultCode.NotFound ? null : reply["b"].Value;
    }

    private void Tell(string line) => _story.AppendLine(line);
}
