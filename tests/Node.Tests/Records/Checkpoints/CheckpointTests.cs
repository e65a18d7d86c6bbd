using Aerie.Foundation;
using Aerie.Node.Tests.Records.Flushing;
using Aerie.Storage;
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

    [Fact]
    public void What_was_removed_while_its_block_was_open_stays_removed()
    {
        // The old version lies in a block that stays open, the mark in one that is full when the checkpoint is taken.
        using (var node = Start())
        {
            var log = node.Records.Log;
            node.Writer.Put("other", [1]);
            Assert.True(log.TryAppend(1, 1000, out var place, out _)); // the other writer's block is the younger one
            log.Abandon(place);
            MoveToWriter(node, "k", 1);
            node.Writer.Delete("k");
            for (var i = 0; i < 12; i++)
            {
                node.Writer.Put($"full{i}", new byte[900_000]);
            }

            node.TakeCheckpoint();
        }

        _disk.Crash(3);
        using var again = Start();
        Assert.Equal(1, again.Logs.LinesWith("loading the checkpoint"));
        Assert.Null(again.Read("k"));
        MustEqualScan(again);
    }

    [Fact]
    public void The_blocks_of_the_last_checkpoint_are_kept_until_the_new_one_is_named()
    {
        using (var node = Start())
        {
            node.Writer.Put("k", [1]);
            node.TakeCheckpoint();
            node.Writer.Put("k", [2]);
            var checkpointer = node.Node.Checkpointers[0];
            Assert.True(checkpointer.TryStart(isForced: true));
            for (var steps = 0; checkpointer.Ready is null; steps++)
            {
                Assert.True(steps < 1000);
                checkpointer.Step();
                node.Records.Flush(); // writes, and names nothing
            }

            checkpointer.Step();
            Assert.NotNull(checkpointer.Ready);
            for (var i = 0; node.Records.Log.FreeBlocks > RecordLog.BlocksReservedForDefrag + 1; i++)
            {
                node.Writer.Put($"full{i}", new byte[900_000]); // whatever was freed is written over
                node.Records.Flush();
            }
        }

        _disk.Crash(1);
        using var again = Start();
        Assert.Equal(1, again.Logs.LinesWith("loading the checkpoint"));
        Assert.Equal(0, again.Logs.LinesWith("the checkpoint is not used"));
        Assert.Equal([2], again.Read("k")!);
    }

    [Fact]
    public void A_damaged_byte_anywhere_costs_a_scan_and_nothing_else()
    {
        const int Seed = 11;
        var place = TakeOne(records: 300);
        var head = OffsetOf(place.Blocks[0]);
        var rows = OffsetOf(place.Blocks[1]);
        var random = new Random(Seed);
        var body = head + DeviceLayout.PageLength;
        var places = new List<long> { head, head + 10, head + 16, head + 24, body, body + 12, body + 70, rows, rows + 5 };
        places.AddRange(Enumerable.Range(0, 12).Select(_ => head + 4096 + random.Next(65_000)));
        places.AddRange(Enumerable.Range(0, 12).Select(_ => rows + 4096 + random.Next(300 * 40)));
        foreach (var at in places)
        {
            var copy = _disk.Copy();
            copy[DeviceNode.Path].Poke(at, [(byte)(copy[DeviceNode.Path].Peek(at, 1)[0] ^ 0x40)]);
            using var node = new DeviceNode(copy, "post-write-cache 0", engine: "device");
            Assert.True(node.Logs.LinesWith("the checkpoint is not used") == 1, $"byte {at} (seed {Seed})");
            Assert.Equal(300, node.Records.Objects);
            Books.MustBalance(node.Records);
            new IndexPicture(node).MustBalance();
        }
    }

    [Fact]
    public void Power_lost_at_any_write_leaves_the_old_checkpoint_or_a_scan()
    {
        for (var writes = 0; writes < 14; writes++)
        {
            var disk = new SimulatedDisk();
            using (var node = new DeviceNode(disk, "post-write-cache 0", engine: "device", disablesDataSync: true))
            {
                node.Writer.Put("k", [1]);
                node.Writer.Put("gone", [1]);
                node.TakeCheckpoint();
                node.Writer.Put("k", [2]);
                node.Writer.Delete("gone");
                node.Flush();
                disk[DeviceNode.Path].Fail(DiskOperation.Write, after: writes);
                node.StepCheckpoint();
            }

            disk[DeviceNode.Path].Heal();
            disk.Crash(writes);
            using var again = new DeviceNode(disk, "post-write-cache 0", engine: "device", disablesDataSync: true);
            Assert.Equal([2], again.Read("k")!);
            Assert.Null(again.Read("gone"));
            Books.MustBalance(again.Records);
        }
    }

    [Fact]
    public void A_device_that_fails_ends_the_checkpoint_and_nothing_else()
    {
        using var node = Start();
        node.Writer.Put("k", [1]);
        node.Flush();
        var free = node.Records.Log.FreeBlocks;
        node.Medium.Fail(DiskOperation.Write, offset: 8 * 1024 * 1024, times: 1);
        Assert.False(node.TryTakeCheckpoint());
        Assert.Equal(1, node.Logs.LinesWith("no checkpoint:"));
        node.Flush();
        node.Flush();
        Assert.Equal(free, node.Records.Log.FreeBlocks);
        node.TakeCheckpoint();
    }

    [Fact]
    public void A_full_log_takes_the_blocks_of_the_checkpoint_back()
    {
        using (var node = new DeviceNode(
            _disk, "post-write-cache 0\nstop-writes-used-pct 0\nstop-writes-avail-pct 0", engine: "device", size: "96M"))
        {
            node.Writer.Put("k", [1]);
            node.TakeCheckpoint();
            var free = node.Records.Log.FreeBlocks;
            for (var i = 0; node.Writer.Put($"big{i}", new byte[900_000]) == ResultCode.Ok; i++)
            {
                node.Flush();
            }

            Assert.InRange(free, 3, 11);
            node.StepCheckpoint();
            node.Flush();
            node.Flush();
            Assert.Equal(1, node.Logs.LinesWith("its blocks are needed for records"));
            Assert.Equal(ResultCode.Ok, node.Writer.Put("more", new byte[900_000]));
            node.Flush();
        }

        _disk.Crash(2);
        using var again = new DeviceNode(_disk, "post-write-cache 0", engine: "device", size: "96M");
        Assert.Equal(0, again.Logs.LinesWith("loading the checkpoint"));
        Assert.Equal([1], again.Read("k")!);
    }

    [Fact]
    public void A_checkpoint_that_would_leave_too_few_blocks_is_not_taken_and_told_once()
    {
        using var node = new DeviceNode(_disk, engine: "device", size: "56M");
        node.Writer.Put("k", [1]);
        var checkpointer = node.Node.Checkpointers[0];
        Assert.False(checkpointer.TryStart(isForced: true));
        Assert.False(checkpointer.TryStart(isForced: true));
        Assert.Equal(1, node.Logs.LinesWith("no checkpoint: there are not enough free blocks"));
        Assert.True(node.Node.Flushers[0].TryEnd());
    }

    [Fact]
    public void A_file_that_has_grown_keeps_its_checkpoint_and_another_device_ends_it()
    {
        TakeOne(records: 50);
        using (var grown = new DeviceNode(_disk, "post-write-cache 0", engine: "device", size: "160M"))
        {
            Assert.Equal(1, grown.Logs.LinesWith("loading the checkpoint"));
            Assert.Equal(50, grown.Records.Objects);
            grown.Flush();
        }

        _disk.Crash(5);
        using var joined = new DeviceNode(_disk, "file /data/second.dat\npost-write-cache 0", engine: "device", size: "160M");
        Assert.Equal(0, joined.Logs.LinesWith("loading the checkpoint"));
        Assert.Equal(1, joined.Logs.LinesWith("the checkpoint is not used"));
        Assert.Equal(50, joined.Records.Objects);
    }

    [Fact]
    public void Truncations_expiry_and_tombstones_hold_over_a_checkpoint()
    {
        using (var node = Start())
        {
            node.Writer.Put("cut", [1], set: "a");
            node.Writer.Put("short", [1], ttl: 5);
            node.Writer.Put("tomb", [1]);
            node.Writer.Delete("tomb", durable: true);
            node.Writer.Put("kept", [1]);
            node.TakeCheckpoint();
            node.Clock.Advance(TimeSpan.FromSeconds(1));
            node.Writer.Worker.BeginTurn();
            Assert.True(node.Records.Sets.TryFind("a"u8, out var set));
            node.Records.Truncate(set, node.Writer.Worker.LastUpdateTime);
            node.Flush();
        }

        _disk.Crash(6);
        using var again = Start();
        Assert.Equal(1, again.Logs.LinesWith("loading the checkpoint"));
        Assert.Null(again.Read("cut", "a"));
        Assert.NotNull(again.Read("short"));
        Assert.Equal(1, again.Records.Tombstones);
        MustEqualScan(again);
        again.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(again.Read("short"));
        Assert.NotNull(again.Read("kept"));
        again.KeepHouse(TimeSpan.FromSeconds(30));
        Assert.Equal(1, again.Records.Objects);
    }

    private CheckpointPlace TakeOne(int records)
    {
        using var node = Start();
        for (var i = 0; i < records; i++)
        {
            node.Writer.Put($"k{i}", [1, 2, 3]);
        }

        node.TakeCheckpoint();
        return node.Records.Register!.SavedCheckpoint!;
    }

    private static long OffsetOf(int block) => (block + 1L) * DeviceLayout.BlockLength;

    // As the defragmenter would, with any writer.
    private static void MoveToWriter(DeviceNode node, string key, int writer)
    {
        node.Writer.Put(key, [7]);
        var digest = WireRequest.DigestOf(key, "s");
        using var gate = node.Records.Index.Enter(digest.Partition);
        Assert.True(node.Records.Index.TryFind(digest, out var handle));
        var old = new RecordLocation(node.Records.Index[handle].Place);
        Assert.True(node.Records.Log.TryRead(0, old, out var image));
        Assert.True(node.Records.Log.TryAppend(writer, old.Length, out var copy, out var target));
        image.CopyTo(target);
        RecordImage.Reseed(target, node.Records.Log.SeedOf(old));
        node.Records.Index[handle].Place = node.Records.Log.Commit(copy, old.Units).Bits;
        node.Records.Log.Release(old);
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
