using Aerie.Foundation;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

/// What a record log promises on every backing. A new backing adds one small class and inherits all of it.
public abstract class RecordLogContract
{
    /// What the backing keeps of each block for itself.
    protected virtual int HeaderLength => 0;

    /// Room for records in a block.
    private int Block => IBlockBacking.BlockLength - HeaderLength;

    /// An eighth of a block.
    private int Eighth => Block / 8;

    private int EighthValue => TestRecords.ValueFor(Eighth);

    protected abstract IBlockBacking CreateBacking(int blocks);

    /// A backing whose bytes are not always at hand waits here.
    protected virtual byte[] Read(RecordLog log, RecordLocation location)
    {
        Assert.True(log.TryRead(Environment.CurrentManagedThreadId % IBlockBacking.ReadersMax, location, out var image));
        return Plain(log, location, image);
    }

    /// The image as its writer made it.
    protected static byte[] Plain(RecordLog log, RecordLocation location, ReadOnlySpan<byte> stored)
    {
        var image = stored.ToArray();
        RecordImage.Reseed(image, log.SeedOf(location));
        return image;
    }

    [Fact]
    public void An_appended_image_reads_back_as_it_was_filled()
    {
        using var log = Create(8);

        var first = TestRecords.Append(log, 1, 100);
        var second = TestRecords.Append(log, 2, 70_000);

        TestRecords.AssertIs(Read(log, first), 1);
        TestRecords.AssertIs(Read(log, second), 2);
        Assert.Equal(first.Length + second.Length, log.UsedBytes);
        Assert.Equal(2, log.Appends);
    }

    [Fact]
    public void Commit_gives_back_what_was_reserved_and_not_needed()
    {
        using var log = Create(8);

        var first = TestRecords.Append(log, 1, 100, spare: 4096);
        var second = TestRecords.Append(log, 2, 100);

        Assert.Equal(144, first.Length);
        Assert.Equal(first.Unit + first.Units, second.Unit);
        Assert.Equal(first.Length + second.Length, log.UsedBytes);
    }

    [Fact]
    public void A_tail_given_back_too_late_becomes_a_hole_that_a_walk_steps_over()
    {
        using var log = Create(8);
        Assert.True(log.TryAppend(0, 8192, out var early, out var target));
        var behind = TestRecords.Append(log, 2, 100);
        early = log.Commit(early, TestRecords.Fill(target, 1, 1, 100));
        Assert.True(log.TryAppend(0, 8192, out var dropped, out _));
        var last = TestRecords.Append(log, 3, 100);
        log.Abandon(dropped);
        Assert.Equal(3 * 144, log.UsedBytes);

        FinishBlock(log);

        Assert.True(log.TryPickVictim(out var victim));
        using (victim)
        {
            Assert.Equal([(1, early), (2, behind), (3, last)], Walk(log, victim));
        }

        Assert.Equal(0, log.BrokenBlocks);
    }

    [Fact]
    public void An_abandoned_append_leaves_nothing_behind()
    {
        using var log = Create(8);
        var kept = TestRecords.Append(log, 1, 100);

        Assert.True(log.TryAppend(0, 500_000, out var location, out var target));
        TestRecords.Fill(target, 2, 1, 400_000);
        log.Abandon(location);

        Assert.Equal(kept.Length, log.UsedBytes);
        Assert.Equal(kept.Unit + kept.Units, TestRecords.Append(log, 3, 100).Unit);
    }

    [Fact]
    public void A_block_becomes_free_when_its_last_record_is_released()
    {
        using var log = Create(8);
        var records = FillBlocks(log, 2);
        FinishBlock(log);
        var free = Free(log);

        foreach (var location in records.Where(location => location.Block == records[0].Block))
        {
            Assert.Equal(free, Free(log));
            log.Release(location);
        }

        Assert.Equal(free + 1, Free(log));
        Assert.Equal(8 * Eighth + Eighth, log.UsedBytes);
    }

    [Fact]
    public void The_open_block_is_not_freed_while_it_is_empty()
    {
        using var log = Create(8);

        log.Release(TestRecords.Append(log, 1, 100));

        Assert.Equal(7, Free(log));
        TestRecords.AssertIs(Read(log, TestRecords.Append(log, 2, 100)), 2);
    }

    [Fact]
    public void A_block_is_neither_freed_nor_walked_while_an_image_in_it_is_being_filled()
    {
        using var log = Create(8);
        var done = TestRecords.Append(log, 1, 100);
        Assert.True(log.TryAppend(0, 144, out var filling, out var target));
        log.Release(FinishBlock(log));
        var free = log.FreeBlocks;

        Assert.False(log.TryPickVictim(out _));
        log.Release(done);
        Assert.False(log.TryPickVictim(out _));
        Assert.Equal(free, log.FreeBlocks);

        filling = log.Commit(filling, TestRecords.Fill(target, 2, 1, 100));
        TestRecords.AssertIs(Read(log, filling), 2);
        Assert.True(log.TryPickVictim(out var victim));
        victim.Dispose();
        log.Release(filling);
        Assert.Equal(free + 1, Free(log));
    }

    [Fact]
    public void A_block_whose_only_image_is_abandoned_after_the_cursor_left_becomes_free()
    {
        using var log = Create(8);
        Assert.True(log.TryAppend(0, 144, out var filling, out _));
        FinishBlock(log);

        log.Abandon(filling);

        Assert.Equal(7, Free(log));
    }

    [Fact]
    public void Defragmentation_keeps_every_live_record_and_frees_blocks()
    {
        using var log = Create(16);
        var index = new TestIndex(log, 10 * 8);
        FillIndex(index);
        for (var id = 0; id < index.Records; id++)
        {
            if (id % 4 != 0)
            {
                index.Remove(id);
            }
        }

        var free = Free(log);
        while (index.DefragOne())
        {
        }

        Assert.True(Free(log) >= free + 6, $"{free} free blocks became {Free(log)}");
        Assert.Equal(index.LiveBytes, log.UsedBytes);
        Assert.All(Enumerable.Range(0, index.Records), id => Assert.Equal(id % 4 == 0, index.Read(id, at => Read(log, at))));
        Assert.True(log.DefragReads >= 9);
        Assert.True(log.DefragWrites >= 1);
    }

    [Fact]
    public void A_walk_that_was_given_up_goes_on_with_the_image_that_it_had_in_hand()
    {
        using var log = Create(8);
        var records = FillBlocks(log, 1);
        FinishBlock(log);
        records.Skip(3).ToList().ForEach(log.Release);
        Assert.True(log.TryPickVictim(out var victim));
        using (victim)
        {
            Assert.True(victim.TryNext(out _, out var first) && first == records[0]);
            Assert.True(victim.TryNext(out _, out var second) && second == records[1]);
        }

        log.Release(records[0]); // it was moved, the second was not
        Assert.True(log.TryPickVictim(out victim));
        using (victim)
        {
            Assert.True(victim.TryNext(out _, out var again));
            Assert.Equal(records[1], again);
            while (victim.TryNext(out _, out _))
            {
            }
        }

        Assert.True(log.TryPickVictim(out victim));
        using (victim)
        {
            Assert.False(victim.TryNext(out _, out _));
        }
    }

    [Fact]
    public void The_emptiest_block_is_picked_first_and_full_ones_never()
    {
        using var log = Create(8);
        var records = FillBlocks(log, 4);
        FinishBlock(log);
        int[] released = [3, 7, 5, 4]; // eighths of each block
        foreach (var (block, count) in released.Index())
        {
            records.Where(location => location.Block == records[block * 8].Block).Take(count).ToList().ForEach(log.Release);
        }

        Assert.Equal(2, log.DefragQueue);
        Assert.True(log.TryPickVictim(out var first));
        Assert.True(log.TryPickVictim(out var second));
        Assert.False(log.TryPickVictim(out _)); // exactly half used is not below 50
        Assert.Equal(records[1 * 8].Block, first.Block);
        Assert.Equal(records[2 * 8].Block, second.Block);

        log.DefragLwmPct = 70;
        Assert.Equal(2, log.DefragQueue);
        log.DefragLwmPct = 1;
        Assert.Equal(0, log.DefragQueue);
    }

    [Fact]
    public void A_victim_that_was_not_emptied_can_be_picked_again()
    {
        using var log = Create(8);
        var record = TestRecords.Append(log, 1, 100);
        FinishBlock(log);

        for (var i = 0; i < 3; i++)
        {
            Assert.True(log.TryPickVictim(out var victim));
            Assert.Equal(record.Block, victim.Block);
            Assert.False(log.TryPickVictim(out _));
            victim.Dispose();
            victim.Dispose();
        }
    }

    [Fact]
    public void A_victim_keeps_its_bytes_until_it_is_disposed()
    {
        using var log = Create(8);
        var first = TestRecords.Append(log, 1, 100);
        var second = TestRecords.Append(log, 2, 100);
        FinishBlock(log);
        var free = Free(log);

        Assert.True(log.TryPickVictim(out var victim));
        log.Release(first);
        log.Release(second);
        Assert.Equal(free, Free(log));
        Assert.Equal([(1, first), (2, second)], Walk(log, victim));
        victim.Dispose();

        Assert.Equal(free + 1, Free(log));
    }

    [Fact]
    public void A_full_log_refuses_and_accepts_again_after_a_release()
    {
        using var log = Create(8);
        var records = FillBlocks(log, 8 - RecordLog.BlocksReservedForDefrag);

        Assert.False(log.TryAppend(0, Eighth, out var refused, out _));
        Assert.True(refused.IsNone);
        Assert.Equal(records.Count * (long)Eighth, log.UsedBytes);
        records.Where(location => location.Block == records[0].Block).ToList().ForEach(log.Release);
        Free(log);

        TestRecords.AssertIs(Read(log, TestRecords.Append(log, 1, EighthValue)), 1);
    }

    [Fact]
    public void A_block_too_full_for_a_large_record_still_takes_small_ones_in_a_full_log()
    {
        using var log = Create(6);
        TestRecords.Append(log, 1, EighthValue);
        for (var id = 2; id < 5; id++)
        {
            TestRecords.Append(log, id, TestRecords.ValueFor(Block), writer: 1);
        }

        Assert.False(log.TryAppend(0, Block, out _, out _));

        TestRecords.AssertIs(Read(log, TestRecords.Append(log, 5, EighthValue)), 5);
    }

    [Fact]
    public void A_full_log_can_always_be_defragmented()
    {
        using var log = Create(10);
        var index = new TestIndex(log, (10 - RecordLog.BlocksReservedForDefrag) * 8);
        FillIndex(index);
        Assert.False(log.TryAppend(0, Eighth, out _, out _));
        for (var id = 0; id < index.Records; id++)
        {
            if (id % 8 > 2)
            {
                index.Remove(id);
            }
        }

        Assert.False(log.TryAppend(0, Eighth, out _, out _)); // space enough, but in no block
        while (index.DefragOne())
        {
        }

        Assert.True(Free(log) >= 5, $"{Free(log)} free blocks");
        Assert.True(TestRecords.TryAppend(log, 0, 1, EighthValue, out _));
    }

    [Fact]
    public void The_largest_record_fills_a_block_and_a_larger_one_is_refused()
    {
        using var log = Create(8);

        Assert.False(log.TryAppend(0, Block + 1, out var refused, out _));
        Assert.False(log.TryAppend(0, int.MaxValue, out _, out _));
        Assert.True(refused.IsNone);
        Assert.Equal(8, Free(log));

        var largest = TestRecords.Append(log, 1, TestRecords.ValueFor(Block));
        Assert.Equal(Block, largest.Length);
        TestRecords.AssertIs(Read(log, largest), 1);
    }

    [Fact]
    public void Releasing_twice_is_noticed()
    {
        using var log = Create(8);
        var location = TestRecords.Append(log, 1, 100);
        log.Release(location);

        Assert.Throws<InvariantException>(() => log.Release(location));
    }

    [Fact]
    public void A_block_whose_chain_is_broken_is_walked_once_and_then_left_alone()
    {
        using var log = Create(8);
        var good = TestRecords.Append(log, 1, 100);
        Assert.True(log.TryAppend(0, 144, out var bad, out var target));
        TestRecords.Fill(target, 2, 1, 100);
        log.Commit(bad, bad.Units);
        target[..8].Clear();
        var filler = FinishBlock(log);

        Assert.True(log.TryPickVictim(out var victim));
        Assert.Equal([(1, good)], Walk(log, victim));
        victim.Dispose();

        Assert.Equal(1, log.BrokenBlocks);
        Assert.False(log.TryPickVictim(out _));
        log.Release(good);
        log.Release(bad);
        log.Release(filler);
        Assert.Equal(7, Free(log));
    }

    [Fact]
    public void The_stripes_add_up_to_the_log()
    {
        using var log = Create(16);
        for (var id = 0; id < 60; id++)
        {
            TestRecords.Append(log, id, EighthValue, writer: id % 3 == 0 ? log.DefragWriter : id % 2);
        }

        var stripes = Enumerable.Range(0, log.Stripes).Select(log.Statistics).ToList();

        Assert.Equal(log.UsedBytes, stripes.Sum(stripe => stripe.UsedBytes));
        Assert.Equal(Free(log), stripes.Sum(stripe => stripe.FreeBlocks));
        Assert.Equal(log.DefragWrites, stripes.Sum(stripe => stripe.DefragWrites));
        Assert.Equal(16 - Free(log), log.BlocksOpened);
        Assert.Equal(Free(log) * 100 / 16, log.AvailablePercent);
        Assert.Equal(60L * Eighth * 100 / log.TotalBytes, log.UsedPercent);
    }

    [Fact]
    public void Twenty_rounds_of_growing_and_emptying_end_where_the_first_did()
    {
        using var log = Create(12);
        var full = 0L;
        var empty = 0L;
        for (var round = 0; round < 20; round++)
        {
            var records = FillBlocks(log, 6);
            full = round <= 1 ? log.ResidentBytes : full; // from the second on, a block that was left behind is there too
            Assert.InRange(log.ResidentBytes, full * 9 / 10, full * 11 / 10);
            records.ForEach(log.Release);
            Free(log);
            empty = round <= 1 ? log.ResidentBytes : empty;
            Assert.InRange(log.ResidentBytes, empty * 9 / 10, empty * 11 / 10);
            Assert.Equal(0, log.UsedBytes);
        }

        Assert.True(empty < full);
    }

    [Fact]
    public void Appending_reading_and_releasing_allocate_nothing()
    {
        using var log = Create(8);
        var live = new RecordLocation[1000];
        Turnover(log, live, 3); // everything is compiled and every slot is taken

        var before = GC.GetAllocatedBytesForCurrentThread();
        Turnover(log, live, 100);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory, InlineData(1), InlineData(2)]
    public void Concurrent_writers_releases_and_moves_lose_nothing(int seed)
    {
        using var log = Create(20);
        var index = new TestIndex(log, 3000);
        Exception? failure = null;
        var threads = Enumerable.Range(0, 4).Select(writer => new Thread(() =>
        {
            try
            {
                Churn(log, index, writer, new Random((seed * 100) + writer));
            }
            catch (Exception caught)
            {
                Interlocked.CompareExchange(ref failure, caught, null);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.True(failure == null, $"seed {seed}: {failure}");
        Assert.Equal(index.LiveBytes, log.UsedBytes);
        Assert.Equal(0, log.BrokenBlocks);
        Assert.All(Enumerable.Range(0, index.Records), id => index.Read(id, at => Read(log, at)));
        Assert.All(Enumerable.Range(0, index.Records), index.Remove);
        Assert.Equal(0, log.UsedBytes);
        Assert.Equal(20 - OpenCursors(log), Free(log));
    }

    private RecordLog Create(int blocks)
    {
        var log = new RecordLog(new RecordLogOptions { Stripes = 2 }, CreateBacking(blocks));
        if (log.IsPersistent)
        {
            log.Recover().End();
        }

        return log;
    }

    /// Free blocks, those included that a persistent log gives free only after a flush.
    private static int Free(RecordLog log)
    {
        if (log.IsPersistent)
        {
            log.Flush(static () => { });
        }

        return log.FreeBlocks;
    }

    /// Records of one eighth each, appended by writer 0.
    private List<RecordLocation> FillBlocks(RecordLog log, int blocks) =>
        [.. Enumerable.Range(0, blocks * 8).Select(id => TestRecords.Append(log, id, EighthValue))];

    private void FillIndex(TestIndex index)
    {
        for (var id = 0; id < index.Records; id++)
        {
            Assert.True(index.TryWrite(0, id, EighthValue, 1, 0));
        }
    }

    /// Takes the cursor of writer 0 to a new block, by a record of an eighth that lies there.
    private RecordLocation FinishBlock(RecordLog log)
    {
        var start = TestRecords.Append(log, -1, EighthValue);
        if (start.Offset == HeaderLength)
        {
            return start;
        }

        log.Release(start);
        Assert.True(log.TryAppend(0, Block, out var whole, out _));
        log.Abandon(whole);
        return TestRecords.Append(log, -1, EighthValue);
    }

    private static List<(int Id, RecordLocation Location)> Walk(RecordLog log, DefragVictim victim)
    {
        var found = new List<(int, RecordLocation)>();
        while (victim.TryNext(out var image, out var location))
        {
            var id = TestRecords.IdOf(image);
            if (id >= 0)
            {
                TestRecords.AssertIs(Plain(log, location, image), id);
                found.Add((id, location));
            }
        }

        return found;
    }

    private static void Turnover(RecordLog log, RecordLocation[] live, int rounds)
    {
        for (var i = 0; i < rounds * live.Length; i++)
        {
            ref var slot = ref live[i % live.Length];
            if (!slot.IsNone)
            {
                log.TryRead(0, slot, out _);
                log.Release(slot);
            }

            TestRecords.TryAppend(log, 0, i, 1000, out slot, spare: 64);
        }
    }

    /// Cursors of the contract's log that stand in a block: they alone hold blocks once everything is released.
    private static int OpenCursors(RecordLog log) =>
        (int)(log.BlocksOpened - Enumerable.Range(0, log.Stripes).Sum(stripe => log.Statistics(stripe).Writes) - log.DefragWrites);

    private void Churn(RecordLog log, TestIndex index, int thread, Random random)
    {
        for (var step = 0; step < 6000; step++)
        {
            var id = random.Next(index.Records);
            var length = random.Next(8) == 0 ? random.Next(100_000) : random.Next(12_000);
            switch (random.Next(10))
            {
                case 0:
                    index.Remove(id);
                    break;
                case 1 or 2:
                    index.Read(id, at => Read(log, at));
                    break;
                case 3 when log.TryAppend(thread % 2, length + 1, out var slow, out _):
                    index.TryWrite(thread % 2, id, length / 2, (ushort)step, 0);
                    log.Abandon(slow);
                    break;
                default:
                    if (!index.TryWrite(thread % 2, id, length, (ushort)step, random.Next(3) * 500))
                    {
                        index.DefragOne();
                    }

                    break;
            }

            if (step % 50 == 0)
            {
                index.DefragOne();
            }
        }
    }
}
