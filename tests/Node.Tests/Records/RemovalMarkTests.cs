using Aerie.Foundation;
using Aerie.Node.Tests.Records.Flushing;
using Aerie.Protocol;
using Aerie.Storage;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class RemovalMarkTests
{
    private static readonly byte[] Value = [1, 2, 3];

    private readonly SimulatedDisk _disk = new();

    [Fact]
    public void What_was_removed_does_not_come_back_at_a_restart()
    {
        using (var node = new DeviceNode(_disk))
        {
            node.Writer.Put("gone", Value);
            node.Writer.Put("kept", Value);
            node.Flush();
            Assert.Equal(ResultCode.Ok, node.Writer.Delete("gone"));
            Assert.Equal(1, node.Records.RemovalMarks);
            node.Flush();
        }

        _disk.Crash(1);
        using var again = new DeviceNode(_disk);
        Assert.False(again.Writer.Exists("gone"));
        Assert.True(again.Writer.Exists("kept"));
        Assert.Equal(1, again.Records.Objects);
        Assert.Equal(1, again.Records.RemovalMarks);
    }

    [Fact]
    public void Who_comes_back_after_a_removal_is_newer_even_when_the_clock_was_set_back()
    {
        using (var node = new DeviceNode(_disk))
        {
            node.Writer.Put("k", [1]);
            node.Clock.Advance(TimeSpan.FromMinutes(1));
            node.Writer.Delete("k");
            node.Flush();
        }

        using (var node = new DeviceNode(_disk)) // its clock is a minute behind
        {
            Assert.Null(node.Writer.Get("k"));
            node.Writer.Put("k", [2]);
            node.Writer.Put("k", [3]);
            node.Flush();
        }

        using var again = new DeviceNode(_disk);
        Assert.Equal([3], again.Writer.Get("k")!);
    }

    [Fact]
    public void Update_times_go_forward_per_record_and_over_removals()
    {
        using var node = new DeviceNode(_disk);
        var digest = WireRequest.DigestOf("k");
        var worker = node.Writer.Worker;
        worker.BeginTurn();
        using var gate = node.Records.Index.Enter(digest.Partition);
        var late = new Aerie.Index.RecordEntry { LastUpdateTime = worker.LastUpdateTime + 500 };
        Assert.Equal(worker.LastUpdateTime + 500, node.Records.NextUpdateTime(worker, digest, late, lives: true));
        Assert.Equal(worker.LastUpdateTime + 501, node.Records.NextUpdateTime(worker, digest, late, lives: false));
        Assert.Equal(worker.LastUpdateTime, node.Records.NextUpdateTime(worker, digest, default, lives: false));
        node.Records.Index.NoteRemoval(digest, worker.LastUpdateTime + 7);
        Assert.Equal(worker.LastUpdateTime + 8, node.Records.NextUpdateTime(worker, digest, default, lives: false));
    }

    [Fact]
    public void An_expired_record_of_one_version_leaves_no_mark_and_one_of_several_does()
    {
        using var node = new DeviceNode(_disk);
        node.Writer.Put("one", Value, ttl: 5);
        node.Writer.Put("two", Value);
        node.Writer.Put("two", Value, ttl: 5);
        node.KeepHouse(TimeSpan.FromSeconds(30));
        Assert.Equal(0, node.Records.Objects);
        Assert.Equal(1, node.Records.RemovalMarks);
    }

    [Fact]
    public void A_new_life_over_a_dead_version_marks_it()
    {
        using (var node = new DeviceNode(_disk))
        {
            node.Writer.Put("k", [1]);
            node.Clock.Advance(TimeSpan.FromSeconds(1));
            node.Writer.Worker.BeginTurn();
            node.Records.Truncate(null, node.Writer.Worker.LastUpdateTime);
            node.Writer.Put("k", [2], ttl: 5);
            Assert.Equal(1, node.Records.RemovalMarks);
            node.Records.Truncate(null, 0); // the old version must stay dead when the new one has expired
            node.KeepHouse(TimeSpan.FromSeconds(30));
            Assert.Equal(0, node.Records.Objects);
            node.Flush();
        }

        using var again = new DeviceNode(_disk);
        Assert.NotEqual([1], again.Writer.Get("k") ?? []);
    }

    [Fact]
    public void The_mark_of_an_ended_life_is_written_before_the_image_of_the_next_one()
    {
        using var node = new DeviceNode(_disk);
        node.Writer.Put("k", [1]);
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        node.Writer.Worker.BeginTurn();
        node.Records.Truncate(null, node.Writer.Worker.LastUpdateTime);
        node.Writer.Put("k", [2]);

        var digest = WireRequest.DigestOf("k", "s");
        using var gate = node.Records.Index.Enter(digest.Partition);
        Assert.True(node.Records.Index.TryFind(digest, out var handle));
        var image = new RecordLocation(node.Records.Index[handle].Place);
        var units = StorageUnit.CountFor(RemovalMark.Length);
        Assert.True(node.Records.Log.TryRead(0, RecordLocation.Of(image.Block, image.Unit - units, units), out var before));
        Assert.True(RemovalMark.TryRead(before, out var mark));
        Assert.Equal(digest, mark.Digest);
    }

    [Fact]
    public void A_new_record_whose_image_finds_no_room_leaves_no_entry()
    {
        using var node = new DeviceNode(_disk);
        Assert.Equal(ResultCode.RecordTooBig, node.Writer.Put("k", new byte[2_000_000]));
        var digest = WireRequest.DigestOf("k", "s");
        Assert.Equal(0, node.Records.Index.Count(digest.Partition));
        Assert.Equal(ResultCode.Ok, node.Writer.Put("k", Value));
        Books.MustBalance(node.Records);
    }

    [Fact]
    public void A_swept_truncation_leaves_no_marks_and_holds_after_an_undo_and_a_restart()
    {
        using (var node = new DeviceNode(_disk))
        {
            for (var i = 0; i < 100; i++)
            {
                node.Writer.Put($"k{i}", Value);
            }

            node.Clock.Advance(TimeSpan.FromSeconds(1));
            node.Writer.Worker.BeginTurn();
            Assert.True(node.Records.Sets.TryFind("s"u8, out var set));
            node.Records.Truncate(set, node.Writer.Worker.LastUpdateTime);
            node.KeepHouse(TimeSpan.FromSeconds(5));
            Assert.Equal((0, 0), (node.Records.Objects, node.Records.RemovalMarks));
            node.Records.Truncate(set, 0);
            node.Flush();
        }

        using var again = new DeviceNode(_disk);
        Assert.Equal(0, again.Records.Objects);
        Assert.True(again.Records.Sets.TryFind("s"u8, out var found) && found.TruncateSwept != 0);
    }

    [Fact]
    public void A_truncation_holds_at_a_restart()
    {
        using (var node = new DeviceNode(_disk))
        {
            node.Writer.Put("k", Value);
            node.Clock.Advance(TimeSpan.FromSeconds(1));
            node.Writer.Worker.BeginTurn();
            node.Records.Truncate(null, node.Writer.Worker.LastUpdateTime);
            node.Flush();
        }

        using var again = new DeviceNode(_disk);
        Assert.False(again.Writer.Exists("k"));
    }

    [Fact]
    public void A_full_log_can_still_be_emptied()
    {
        using var node = new DeviceNode(_disk, "stop-writes-used-pct 0\nstop-writes-avail-pct 0", size: "64M");
        var value = new byte[900_000];
        var count = 0;
        while (node.Writer.Put($"k{count}", value) == ResultCode.Ok)
        {
            count++;
            node.Flush();
        }

        Assert.True(count > 20);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(ResultCode.Ok, node.Writer.Delete($"k{i}"));
        }

        Assert.Equal(count, node.Records.RemovalMarks);
        node.KeepHouse(TimeSpan.FromSeconds(3));
        Assert.Equal(ResultCode.Ok, node.Writer.Put("k", value));
    }

    [Fact]
    public void Marks_go_when_nothing_older_is_left_on_the_device()
    {
        const int Seed = 4;
        var random = new Random(Seed);
        using var node = new DeviceNode(_disk, size: "256M");
        var value = new byte[900_000];
        for (var i = 0; i < 100; i++)
        {
            node.Writer.Put($"gone{i}", Value);
            node.Writer.Delete($"gone{i}");
        }

        var rounds = 0;
        for (; rounds < 200 && node.Records.RemovalMarks > 0; rounds++)
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(ResultCode.Ok, node.Writer.Put($"k{random.Next(40)}", value));
            }

            node.KeepHouse(TimeSpan.FromSeconds(2));
        }

        Assert.True(node.Records.RemovalMarks == 0, $"{node.Records.RemovalMarks} marks after {rounds} rounds (seed {Seed})");
    }

    [Fact]
    public void A_damaged_block_is_left_alone_and_told_once()
    {
        using var node = new DeviceNode(_disk, "post-write-cache 0", engine: "device");
        var value = new byte[500_000];
        for (var i = 0; i < 40; i++)
        {
            node.Writer.Put($"k{i}", value);
            node.Flush();
        }

        var digest = WireRequest.DigestOf("k0", "s");
        RecordLocation place;
        using (node.Records.Index.Enter(digest.Partition))
        {
            Assert.True(node.Records.Index.TryFind(digest, out var handle));
            place = new RecordLocation(node.Records.Index[handle].Place);
        }

        var (_, offset) = node.Records.Log.PlaceOf(place);
        node.Medium.Corrupt(offset + 100, 1000, seed: 3);
        for (var i = 1; i < 16; i++)
        {
            node.Writer.Delete($"k{i}");
        }

        node.KeepHouse(TimeSpan.FromSeconds(20));
        Assert.Equal(1, node.Records.Log.BrokenBlocks);
        Assert.Equal(1, node.Logs.LinesWith("are damaged; their block is not defragmented any more"));
        using (node.Records.Index.Enter(digest.Partition))
        {
            Assert.True(node.Records.Index.TryFind(digest, out var handle));
            Assert.Equal(place.Bits, node.Records.Index[handle].Place); // no copy with a fresh signature
        }
    }
}
