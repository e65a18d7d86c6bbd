using Aerie.Foundation;
using Aerie.Node.Tests.Records.Flushing;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records.Checkpoints;

public sealed class CheckpointTests
{
    private readonly SimulatedDisk _disk = new();

    [Fact]
    public void A_start_finds_the_index_in_the_checkpoint_and_what_came_later_in_the_tail()
    {
        using (var node = Start())
        {
            for (var i = 0; i < 1000; i++)
            {
                node.Writer.Put($"k{i}", [1, 2, 3]);
            }

            node.TakeCheckpoint();
            node.Writer.Put("k1", [4]);
            node.Writer.Delete("k2");
            node.Writer.Put("new", [5]);
            node.Flush();
        }

        _disk.Crash(1);
        using var again = Start();
        Assert.Equal(1, again.Logs.LinesWith("loading the checkpoint"));
        Assert.Equal([4], again.Read("k1")!);
        Assert.Null(again.Read("k2"));
        Assert.Equal([5], again.Read("new")!);
        Assert.Equal(1000, again.Records.Objects);
        MustEqualScan(again);
    }

    [Fact]
    public void A_clean_stop_leaves_a_checkpoint_with_nothing_behind_it()
    {
        using (var node = Start())
        {
            node.Writer.Put("k", [1]);
            node.Writer.Put("gone", [1]);
            node.Writer.Delete("gone");
            Assert.True(node.Node.Flushers[0].TryEnd());
            Assert.Equal(1, node.Node.Checkpointers[0].Taken);
        }

        using var again = Start();
        Assert.Equal([1], again.Read("k")!);
        Assert.Equal(1, again.Records.RemovalMarks);
        MustEqualScan(again);
        Assert.True(again.Node.Flushers[0].TryEnd());
        Assert.Equal(0, again.Node.Checkpointers[0].Taken); // nothing has changed
    }

    internal DeviceNode Start(bool ignoresCheckpoint = false) =>
        new(_disk, "post-write-cache 0", engine: "device", ignoresCheckpoint: ignoresCheckpoint);

    // The scan comes on a copy of what is there, before the node has written anything.
    private void MustEqualScan(DeviceNode node)
    {
        var loaded = new IndexPicture(node);
        loaded.MustBalance();
        Books.MustBalance(node.Records);
        using var scanned = new DeviceNode(_disk.Copy(), "post-write-cache 0", engine: "device", ignoresCheckpoint: true);
        Assert.Equal(0, scanned.Logs.LinesWith("loading the checkpoint"));
        var picture = new IndexPicture(scanned);
        picture.MustBalance();
        loaded.MustEqual(picture);
    }
}
