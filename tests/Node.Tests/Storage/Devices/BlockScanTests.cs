using System.Diagnostics;
using Aerie.Foundation;
using Aerie.Node.Tests.Storage.Codecs;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;
using Xunit;

namespace Aerie.Node.Tests.Storage.Devices;

public sealed class BlockScanTests
{
    [Fact]
    public void A_sealed_block_yields_everything_that_was_written()
    {
        var block = new TestBlock(1);
        block.AddRecord(1, 100);
        block.AddRemoval(2, 5, 6);
        block.AddHole(1);
        block.AddRecord(3, 0);
        block.Seal();

        var scan = new BlockScan(block.Bytes, TestBlock.Device);
        Assert.Equal((BlockState.Records, 1UL), (scan.State, scan.Header.Sequence));
        Assert.True(scan.MoveNext());
        Assert.Equal((BlockItem.Record, TestRecords.DigestOf(1)), (scan.Item, scan.Record.Digest));
        Assert.True(scan.MoveNext());
        Assert.Equal((BlockItem.Removal, new RemovalMark(TestRecords.DigestOf(2), 5, 6)), (scan.Item, scan.Removal));
        while (scan.MoveNext())
        {
        }

        Assert.Equal(BlockItem.End, scan.Item);
        Assert.Equal((2, 1, 0, StorageUnit.PerBlock), (scan.Records, scan.Removals, scan.DamagedRanges, scan.TailUnit));
        Assert.Equal(TestRecords.LengthFor(100) + TestRecords.LengthFor(0) + RemovalMark.Length, scan.ImageBytes);
        Assert.Equal(block.Written, block.Scan());
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Random_records_are_found_where_they_were_written(int seed)
    {
        var random = new Random(seed);
        var block = new TestBlock((ulong)random.NextInt64());
        var images = new List<byte[]>();
        for (var i = 0; i < 300; i++)
        {
            images.Add(RandomRecord.Next(random).Write());
            block.AddImage(images[^1]);
        }

        var scan = new BlockScan(block.Bytes, TestBlock.Device);
        foreach (var image in images)
        {
            Assert.True(scan.MoveNext());
            Assert.Equal(image.AsSpan(4), scan.Record.Image[4..]);
        }

        Assert.False(scan.MoveNext());
        Assert.Equal(block.Head, scan.TailUnit);
    }

    [Fact]
    public void Encoded_images_are_found_by_their_headers_without_a_key()
    {
        var random = new Random(9);
        foreach (var (algorithm, cipher) in CodecSamples.Codings)
        {
            var coding = CodecSamples.Coding(algorithm, cipher);
            using var codec = new ImageCodec(coding);
            var block = new TestBlock(5);
            var plains = Enumerable.Range(0, 50).Select(_ => CodecSamples.Image(random, random.Next(2000), 10)).ToList();
            plains.ForEach(plain => block.AddImage(CodecSamples.Encode(codec, coding, plain)));
            Assert.Equal(block.Written, block.Scan());
            var scan = new BlockScan(block.Bytes, TestBlock.Device);
            foreach (var plain in plains)
            {
                Assert.True(scan.MoveNext());
                Assert.True(RecordImageReader.TryOpen(plain, out var expected));
                var found = scan.Record;
                Assert.Equal(
                    (expected.Digest, expected.LastUpdateTime, expected.Generation, expected.VoidTime, expected.SetId),
                    (found.Digest, found.LastUpdateTime, found.Generation, found.VoidTime, found.SetId));
                Assert.Equal(
                    found.IsEncoded ? (false, 0, (byte)0, 0) : (expected.HasKey, expected.BinCount, expected.KeyType, expected.Key.Length),
                    (found.HasKey, found.BinCount, found.KeyType, found.Key.Length));
            }
        }
    }

    /// In these an earlier life looks most like images that are encrypted or compressed: all small values, at every unit.
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Nothing_in_ordinary_values_makes_a_search_give_up(byte filled)
    {
        var block = new TestBlock(6);
        block.AddRecord(1, 100);
        var rest = block.Bytes.AsSpan(block.Head * StorageUnit.Length);
        for (var at = 0; at < rest.Length; at += 16)
        {
            rest.Slice(at, 8).Fill(filled);
        }

        rest[..16].Clear();
        var scan = new BlockScan(block.Bytes, TestBlock.Device);
        while (scan.MoveNext())
        {
        }

        Assert.Equal((1, 0, false), (scan.Records, scan.DamagedRanges, scan.GaveUp));
    }

    [Fact]
    public void The_tail_of_an_unfinished_block_is_no_damage_even_over_an_earlier_life()
    {
        var earlier = new TestBlock(7);
        earlier.FillWithRecords(100);
        earlier.Seal();

        var block = new TestBlock(8, earlier.Bytes);
        block.AddRecord(1, 1000);
        block.AddHole(3);

        Assert.Equal(block.Written, block.Scan());
        var scan = new BlockScan(block.Bytes, TestBlock.Device);
        while (scan.MoveNext())
        {
        }

        Assert.Equal((block.Head, 0, false), (scan.TailUnit, scan.DamagedRanges, scan.GaveUp));
    }

    /// One bit anywhere in the middle of the chain: everything but the image that holds it is still found, and the damaged
    /// range is that image.
    [Fact]
    public void Damage_costs_the_image_that_it_hit_and_no_other()
    {
        var random = new Random(11);
        var block = new TestBlock(3);
        for (var i = 0; i < 40; i++)
        {
            block.AddRecord(i, random.Next(300));
            block.AddRemoval(i, 1, 2);
        }

        block.Seal();
        for (var i = 0; i < 1000; i++)
        {
            var hit = random.Next(block.Written.Count - 1);
            var (_, unit, units) = block.Written[hit];
            var at = (unit * StorageUnit.Length) + random.Next(units * StorageUnit.Length);
            var flip = (byte)(1 << random.Next(8));
            block.Bytes[at] ^= flip;
            var expected = block.Written.Select((item, index) => index == hit ? (BlockItem.Damage, item.Unit, item.Units) : item);
            Assert.Equal(expected, block.Scan());
            block.Bytes[at] ^= flip;
        }

        Assert.Equal(block.Written, block.Scan());
    }

    [Fact]
    public void A_lost_page_is_one_damaged_range()
    {
        var block = new TestBlock(4);
        block.FillWithRecords(200);
        block.Seal();
        block.Bytes.AsSpan(10 * DeviceLayout.PageLength, DeviceLayout.PageLength).Clear();

        var found = block.Scan();

        var damage = Assert.Single(found, item => item.Item == BlockItem.Damage);
        var first = 10 * DeviceLayout.FirstUnit;
        var lost = block.Written.Where(item => item.Unit + item.Units > first && item.Unit < first + DeviceLayout.FirstUnit).ToList();
        Assert.Equal((lost[0].Unit, lost.Sum(item => item.Units)), (damage.Unit, damage.Units));
        var kept = block.Written.Except(lost).ToList();
        Assert.True(kept.SequenceEqual(found.Where(item => item.Item != BlockItem.Damage)));
    }

    [Theory, InlineData(BlockState.Wiped), InlineData(BlockState.Foreign)]
    [InlineData(BlockState.Damaged), InlineData(BlockState.Checkpoint)]
    public void A_block_in_another_state_yields_nothing(BlockState state)
    {
        var block = new TestBlock(1);
        block.AddRecord(1, 10);
        var page = block.Bytes.AsSpan(0, DeviceLayout.PageLength);
        switch (state)
        {
            case BlockState.Wiped: page.Clear(); break;
            case BlockState.Foreign: new BlockHeader(BlockKind.Records, 1, TestBlock.Device + 1, 0).Write(page); break;
            case BlockState.Damaged: page[20] ^= 1; break;
            default: new BlockHeader(BlockKind.Checkpoint, 1, TestBlock.Device, 0).Write(page); break;
        }

        var scan = new BlockScan(block.Bytes, TestBlock.Device);
        Assert.Equal(state, scan.State);
        Assert.False(scan.MoveNext());
    }

    /// Every unit looks like an image of thousands of bins that goes on to the end of the block, so that walking each of
    /// them would take hours.
    [Fact]
    public void Hostile_content_costs_no_more_than_the_bound()
    {
        var block = new TestBlock(5);
        block.AddRecord(1, 10);
        for (var unit = block.Head; unit < StorageUnit.PerBlock - 4; unit++)
        {
            var bytes = block.Bytes.AsSpan(unit * StorageUnit.Length, StorageUnit.Length);
            BitConverter.TryWriteBytes(bytes[4..], (uint)(StorageUnit.PerBlock - unit));
            bytes[3] = 0xFF;
        }

        var watch = Stopwatch.StartNew();
        var scan = new BlockScan(block.Bytes, TestBlock.Device);
        while (scan.MoveNext())
        {
        }

        Assert.Equal(1, scan.Records);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{watch.Elapsed}");
    }

    /// Images of another life, one inside the value of the other: each is checksummed, and what is inside again.
    [Fact]
    public void The_scan_gives_up_on_nested_images_and_says_so()
    {
        const int Step = 64;
        var block = new TestBlock(6);
        block.AddRecord(1, 10);
        var first = block.Head;
        for (var unit = first; unit + 1024 < StorageUnit.PerBlock; unit += Step)
        {
            // Header and start of one bin whose value reaches the end of the block, however much lies in between.
            var length = (StorageUnit.PerBlock - unit) * StorageUnit.Length;
            var image = block.Bytes.AsSpan(unit * StorageUnit.Length, length);
            var value = TestRecords.ValueFor(length);
            BitConverter.TryWriteBytes(image[RecordImage.SizeAndFlagsOffset..], (uint)(length / StorageUnit.Length));
            image[RecordImage.OptionalOffset] = 1;
            Aerie.DataModel.Bins.BinList.Write(image[(RecordImage.OptionalOffset + 1)..], "v"u8, 4, value, out _);
        }

        var watch = Stopwatch.StartNew();
        var scan = new BlockScan(block.Bytes, TestBlock.Device);
        while (scan.MoveNext())
        {
        }

        Assert.True(scan.GaveUp);
        Assert.Equal((1, 1), (scan.Records, scan.DamagedRanges));
        Assert.Equal((long)(StorageUnit.PerBlock - first) * StorageUnit.Length, scan.DamagedBytes);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{watch.Elapsed}");
    }

    [Fact]
    public void A_block_cut_short_is_read_as_far_as_it_goes()
    {
        var block = new TestBlock(9);
        block.AddRecord(1, 100);
        block.AddRecord(2, 100);
        var end = (block.Head * StorageUnit.Length) - 1;
        var scan = new BlockScan(block.Bytes.AsSpan(0, end), TestBlock.Device);
        Assert.True(scan.MoveNext());
        Assert.False(scan.MoveNext());
        Assert.Equal(block.Written[1].Unit, scan.TailUnit);
    }
}
