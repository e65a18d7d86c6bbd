using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Server.Records;
using Aerie.Server.Records.Housekeeping;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class DefragmentationTests
{
    [Fact]
    public void A_log_that_is_80_percent_full_never_runs_out_under_overwriting()
    {
        const int Length = 64 * 1024;
        const int PerMillisecond = 2;
        const int Milliseconds = 1800;
        using var node = new HousekeptNode(storageLines: "data-size 384M\nstop-writes-used-pct 90\nstop-writes-avail-pct 2");
        var clock = new TickingClock(node.Clock, nanosecondsPerLook: 30_000); // about what moving 64 KiB takes
        using var housekeeper = new Housekeeper(node.Node.Namespaces, clock, node.Logs, static () => null);
        var worker = new Worker(1, clock, node.Node.LastUpdateClock);
        var value = new byte[Length];
        var keys = (int)(node.Records.Log.TotalBytes * 80 / 100 / (Length + 64));
        for (var i = 0; i < keys; i++)
        {
            Assert.Equal(ResultCode.Ok, node.Writer.Put($"k{i}", value));
        }

        var random = new Random(3);
        var due = node.Clock.MonotonicNanoseconds;
        for (var millisecond = 0; millisecond < Milliseconds; millisecond++)
        {
            for (var i = 0; i < PerMillisecond; i++)
            {
                Assert.Equal(ResultCode.Ok, node.Writer.Put($"k{random.Next(keys)}", value));
                Assert.True(node.Writer.Exists($"k{random.Next(keys)}"));
            }

            node.Clock.Advance(TimeSpan.FromMilliseconds(1));
            if (node.Clock.MonotonicNanoseconds >= due)
            {
                // The step's own time passes for the writers as well: they write on while it works.
                due = node.Clock.MonotonicNanoseconds + (housekeeper.Step(worker) * 1_000_000);
            }
        }

        Assert.False(node.Records.StopWrites);
        Assert.InRange(node.Records.Log.UsedPercent, 78, 82);
        Assert.True(node.Records.Log.DefragWrites > 0);
        Books.MustBalance(node.Records);
    }

    [Fact]
    public void Without_anything_below_the_mark_nothing_moves()
    {
        using var node = new HousekeptNode();
        var value = new byte[100_000];
        for (var i = 0; i < 300; i++)
        {
            node.Writer.Put($"k{i}", value);
        }

        node.KeepHouse(TimeSpan.FromSeconds(5));
        Assert.Equal(0, node.Records.Log.DefragReads);
        for (var i = 0; i < 300; i++)
        {
            if (i % 3 != 0)
            {
                node.Writer.Delete($"k{i}");
            }
        }

        var free = node.Records.Log.FreeBlocks;
        node.KeepHouse(TimeSpan.FromSeconds(5));
        Assert.True(node.Records.Log.FreeBlocks > free);
        Books.MustBalance(node.Records);
    }

    /// Writers, truncations, expiry and the defragmenter at once; then every record must be exactly what its writer
    /// was told last.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nothing_is_lost_or_duplicated_while_all_work_at_once(int seed)
    {
        using var node = new HousekeptNode("nsup-period 1", "data-size 128M\ndefrag-lwm-pct 90\nstop-writes-used-pct 0", loops: 2);
        var models = node.Writers.Select((writer, number) => new WriterModel(writer, number, (seed * 10) + number)).ToArray();
        var writers = OnThreads.Start(models.Length, number => models[number].Run());
        var random = new Random(seed);
        var cut = 0UL;
        var worker = node.Node.HousekeepingWorker;
        while (writers.AreRunning)
        {
            node.Node.Housekeeper.Step(worker);
            node.Clock.Advance(TimeSpan.FromMilliseconds(1));
            if (random.Next(200) == 0 && node.Records.Sets.TryFind("cut"u8, out var set))
            {
                worker.BeginTurn();
                node.Records.Truncate(set, cut = worker.LastUpdateTime);
            }
        }

        writers.Join();
        node.KeepHouse(TimeSpan.FromSeconds(2));
        Assert.False(node.Records.IsTruncating);
        foreach (var model in models)
        {
            model.Check(cut);
        }

        Assert.True(node.Records.Log.DefragReads > 0, $"nothing was defragmented (seed {seed})");
        Books.MustBalance(node.Records);
    }

    /// One thread and its own keys, with what the node acknowledged last.
    private sealed class WriterModel(RecordWriter writer, int number, int seed)
    {
        private const int Keys = 1200;
        private const int Operations = 5_000;

        private readonly Dictionary<(string Key, string Set), (byte[] Value, ulong Time)> _acknowledged = [];

        public void Run()
        {
            var random = new Random(seed);
            for (var i = 0; i < Operations; i++)
            {
                var name = ($"{number}-{random.Next(Keys)}", random.Next(2) == 0 ? "cut" : "kept");
                if (random.Next(8) == 0)
                {
                    Assert.True(writer.Delete(name.Item1, name.Item2) is ResultCode.Ok or ResultCode.NotFound);
                    _acknowledged.Remove(name);
                    continue;
                }

                var value = new byte[random.Next(100, 24_000)];
                BinaryPrimitives.WriteInt32LittleEndian(value, i);
                value[^1] = (byte)i;
                if (writer.Put(name.Item1, value, name.Item2) == ResultCode.Ok)
                {
                    _acknowledged[name] = (value, writer.Worker.LastUpdateTime);
                }
            }
        }

        public void Check(ulong cut)
        {
            foreach (var (name, (value, time)) in _acknowledged)
            {
                var isGone = name.Set == "cut" && time < cut;
                Assert.Equal(isGone ? null : value, writer.Get(name.Key, name.Set));
            }
        }
    }
}
