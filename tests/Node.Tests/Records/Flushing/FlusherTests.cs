using Aerie.Foundation;
using Aerie.Server;
using Aerie.Server.Records.Flushing;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Flushing;

public sealed class FlusherTests
{
    private readonly SimulatedDisk _disk = new();

    [Fact]
    public void What_was_written_is_safe_after_flush_max_ms()
    {
        using (var node = new DeviceNode(_disk, "flush-max-ms 100"))
        {
            node.Writer.Put("k", [1]);
            Assert.InRange(node.Node.Flushers[0].Step(), 1, 100);
            Assert.NotEqual(0, node.Records.Log.UnflushedBytes);
            node.Clock.Advance(TimeSpan.FromMilliseconds(101));
            Assert.Equal(100, node.Node.Flushers[0].Step());
            Assert.Equal(0, node.Records.Log.UnflushedBytes);
        }

        _disk.Crash(2);
        using var again = new DeviceNode(_disk);
        Assert.Equal([1], again.Writer.Get("k")!);
    }

    [Fact]
    public void A_lot_is_written_at_once()
    {
        using var node = new DeviceNode(_disk, "flush-max-ms 1000\nflush-size 64K");
        node.Writer.Put("k", new byte[70_000]);
        Assert.True(node.Records.FlushSignal.IsAsked);
        node.Node.Flushers[0].Step();
        Assert.Equal(0, node.Records.Log.UnflushedBytes);
    }

    [Fact]
    public void A_set_is_known_before_any_record_that_names_it()
    {
        using (var node = new DeviceNode(_disk))
        {
            node.Writer.Put("a", [1], "first");
            node.Writer.Put("b", [1], "second");
            node.Flush();
            var writes = node.Medium.Count(DiskOperation.Write);
            node.Writer.Put("c", [1], "second");
            node.Flush();
            Assert.Equal(writes + 1, node.Medium.Count(DiskOperation.Write)); // the metadata was not written again
        }

        using var again = new DeviceNode(_disk);
        Assert.True(again.Records.Sets.TryFind("second"u8, out var set) && set.Id == 2);
        Assert.True(again.Writer.Exists("b", "second"));
        Assert.Equal(2, again.Records.SetCounters.ObjectsOf(2));
    }

    [Fact]
    public void The_end_is_clean_and_the_next_beginning_says_so_no_longer()
    {
        using (var node = new DeviceNode(_disk))
        {
            node.Writer.Put("k", [1]);
            Assert.True(node.Node.Flushers[0].TryEnd());
        }

        using (var node = new DeviceNode(_disk))
        {
            Assert.True(node.Backing.Devices.Metadata!.IsCleanShutdown);
            Assert.True(node.Writer.Exists("k"));
            node.Writer.Put("l", [1]);
            node.Flush();
        }

        using var again = new DeviceNode(_disk);
        Assert.False(again.Backing.Devices.Metadata!.IsCleanShutdown);
    }

    [Fact]
    public void The_thread_is_woken_by_who_asks_and_writes_all_at_its_end()
    {
        using (var node = new DeviceNode(_disk, "flush-max-ms 0"))
        {
            Exception? failure = null;
            using var thread = new RecordThreads(node.Node, failed => failure = failed);
            thread.Start();
            node.Writer.Put("k", [1]);
            node.Records.FlushSignal.Ask();
            Assert.True(SpinWait.SpinUntil(() => node.Records.Log.UnflushedBytes == 0, TimeSpan.FromSeconds(20)));
            node.Writer.Put("l", [1]);
            thread.Stop(isClean: true);
            Assert.Null(failure);
        }

        using var again = new DeviceNode(_disk);
        Assert.True(again.Writer.Exists("k") && again.Writer.Exists("l"));
    }

    [Fact]
    public void Each_file_has_its_figures()
    {
        using var node = new DeviceNode(_disk);
        node.Writer.Put("k", new byte[10_000]);
        node.Flush();
        var statistics = new Aerie.Server.Statistics.NamespaceStatistics(node.Node.Namespaces, node.Clock)
            .Read(node.Records).ToDictionary(statistic => statistic.Key, statistic => statistic.Value, StringComparer.Ordinal);
        Assert.Equal(statistics["data_used_bytes"], statistics["storage-engine.file[0].used_bytes"]);
        Assert.Equal("14", statistics["storage-engine.file[0].free_wblocks"]); // 16, the label area, the open one
        Assert.NotEqual("0", statistics["storage-engine.file[0].writes"]);
        Assert.Equal("1", statistics["storage-engine.file[0].partial_writes"]);
        Assert.Equal("0", statistics["storage-engine.file[0].write_q"]);
        Assert.DoesNotContain(statistics.Keys, key => key.Contains("stripe", StringComparison.Ordinal));
        Assert.DoesNotContain("storage-engine.file[0].shadow_write_q", statistics.Keys);
        Assert.Equal("0", statistics["removal_marks"]);
    }
}
