using Aerie.Foundation;
using Aerie.Memory.Compression;
using Aerie.Server;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Logging;
using Aerie.Server.Records;
using Aerie.Server.Records.Restart;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Flushing;

/// A node with one namespace on a simulated disk, whose flusher and housekeeper the test steps. Opening another one on the
/// same disk is a restart.
internal sealed class DeviceNode : IDisposable
{
    public const string Path = "/data/test.dat";

    private readonly NodeUnderTest _node;
    private readonly bool _disablesDataSync;
    private readonly CompressionLibraries _libraries;
    private DeviceBacking? _backing;
    private SimulatedPeer? _peer;

    /// `shadow`: of the device at Path. `unixMilliseconds`: where the wall clock starts, 0 for the usual time.
    public DeviceNode(
        SimulatedDisk disk,
        string storageLines = "",
        string engine = "memory",
        string size = "128M",
        string namespaceLines = "",
        string shadow = "",
        bool disablesDataSync = false,
        long unixMilliseconds = 0,
        CompressionLibraries? libraries = null,
        bool ignoresCheckpoint = false)
    {
        Disk = disk;
        _disablesDataSync = disablesDataSync;
        _libraries = libraries ?? CompressionLibraries.Load();
        var text = NodeUnderTest.Configuration(namespaceLines, $"file {Path} {shadow}\nfilesize {size}\n{storageLines}")
            .Replace("storage-engine memory", $"storage-engine {engine}", StringComparison.Ordinal);
        _node = new NodeUnderTest(text, 1, Logs, InfoOf, Open);
        _node.Clock.UnixMilliseconds = unixMilliseconds == 0 ? _node.Clock.UnixMilliseconds : unixMilliseconds;
        var recovery = Records.Log.Recover();
        var start = new ColdStart(Records, _backing!, recovery, _node.Clock, Logs) { IgnoresCheckpoint = ignoresCheckpoint };
        start.Run([Node.HousekeepingWorker]);
        Node.LastUpdateClock.Advance(start.LatestUpdateTime);
        Writer = new RecordWriter(Records, Node.Loops[0].Worker);
    }

    public SimulatedDisk Disk { get; }

    public SimulatedMedium Medium => Disk[Path];

    public CollectedLog Logs { get; } = new();

    public NodeUnderTest Under => _node;

    public FakeClock Clock => _node.Clock;

    public Aerie.Server.Node Node => _node.Node;

    public Namespace Records => Node.Namespaces.All[0];

    public RecordWriter Writer { get; }

    public DeviceBacking Backing => _backing!;

    public void Flush()
    {
        Records.FlushSignal.Ask();
        Node.Flushers[0].Step();
        Assert.Null(Records.StorageFailure);
    }

    /// What a client is told, wherever the record lies.
    public byte[]? Read(string key, string set = "s")
    {
        _peer ??= _node.Connect();
        var reply = Assert.Single(WireReply.ReadAll(_node.Ask(_peer, WireRequest.Get(key, set).Bytes())));
        Assert.True(reply.Result is ResultCode.Ok or ResultCode.NotFound, $"get of {key}: {reply.Result}");
        return reply.Result == ResultCode.NotFound ? null : reply["b"].Value;
    }

    /// One checkpoint with its flushes, as far as the device lets it.
    public void StepCheckpoint()
    {
        const int StepsMax = 200;
        var checkpointer = Node.Checkpointers[0];
        checkpointer.BlocksSpared = 1;
        checkpointer.TryStart(isForced: true);
        for (var step = 0; step < StepsMax; step++)
        {
            checkpointer.Step();
            Records.FlushSignal.Ask();
            Node.Flushers[0].Step();
        }
    }

    /// All blocks may be taken for it that nobody else has.
    public bool TryTakeCheckpoint()
    {
        var checkpointer = Node.Checkpointers[0];
        checkpointer.BlocksSpared = 1;
        var taken = checkpointer.Taken;
        checkpointer.TryStart(isForced: true);
        while (checkpointer.IsBusy)
        {
            checkpointer.Step();
            Flush();
        }

        return checkpointer.Taken > taken;
    }

    public void TakeCheckpoint() => Assert.True(TryTakeCheckpoint());

    public void KeepHouse(TimeSpan time)
    {
        var end = Clock.MonotonicNanoseconds + (time.Ticks * 100);
        while (Clock.MonotonicNanoseconds < end)
        {
            var rest = Node.Housekeeper.Step(Node.HousekeepingWorker);
            Node.Flushers[0].Step();
            Clock.Advance(TimeSpan.FromMilliseconds(Math.Max(1, rest)));
        }
    }

    public void Dispose()
    {
        Writer.Dispose();
        _node.Dispose();
    }

    private IInfoAnswers InfoOf(NodeUnderTest under, Aerie.Server.Node node) =>
        new NodeReporting(node, under.Config, new NodeLog([], [], under.Clock, startThread: false), Logs).Info;

    private NamespaceStorage Open(NamespaceOptions options, LastUpdateClock updates)
    {
        var clock = new FakeClock();
        var devices = DeviceSet.Open(Disk, new DeviceSetOptions
        {
            Namespace = options.Name,
            Devices = [.. options.Storage.Paths.Select(path => new DevicePath(path.Path, path.Shadow))],
            FileSize = options.Storage.FileSize,
            DisableDataSync = _disablesDataSync,
            Keys = StorageOpening.KeysOf(options.Storage),
            Clock = clock,
        });
        _backing = new DeviceBacking(
            devices,
            new DeviceBackingOptions
            {
                Cursors = 3,
                Readers = 2,
                MaxWriteCache = () => options.Storage.MaxWriteCache,
                PostWriteCache = () => options.Storage.PostWriteCache,
                KeepAll = options.Storage.IsMemory,
                Clock = clock,
            },
            devices.Metadata?.HighestBlockSequence ?? 0);
        return new NamespaceStorage(
            _backing,
            devices.Save,
            devices.Metadata,
            updates,
            StorageOpening.CodingOf(options.Storage, devices, _libraries));
    }
}
