using System.Buffers.Binary;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// The index of large ordered lists and maps: its bytes, and that it tells the truth after whatever has been done.
public sealed class CdtIndexTests
{
    private const int BlockLengthMax = 32;

    [Fact]
    public void The_index_has_these_bytes()
    {
        var bin = new CdtBin("-");
        Assert.Equal(ResultCode.Ok, bin.Run($"[2, [{string.Join(", ", Enumerable.Range(0, 33))}], 1, 0]"));

        // 34 elements with the mark; 25 bytes in it; version 1, 33 elements of 33 bytes; blocks at 16 and 32
        Assert.StartsWith(
            "DC0022" + "C71901" + "01" + "21000000" + "21000000" + "10000000" + "10000000" + "20000000" + "20000000" + "000102",
            Convert.ToHexString(bin.Bytes), StringComparison.Ordinal);

        bin.Bytes = [];
        bin.Type = Aerie.DataModel.ParticleType.Null;
        Assert.Equal(ResultCode.Ok, bin.Run($"[68, {{{string.Join(", ", Enumerable.Range(0, 32).Select(i => $"{i}: \"a\""))}}}, 1]"));
        Assert.StartsWith(
            "DE0021" + "C71101" + "01" + "20000000" + "80000000" + "10000000" + "40000000" + "C0" + "00A20361",
            Convert.ToHexString(bin.Bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Small_containers_and_those_without_order_have_none()
    {
        var bin = new CdtBin("-");
        bin.Run($"[2, [{string.Join(", ", Enumerable.Range(0, 31))}], 1, 0]");
        Assert.StartsWith("DC0020C70001", Convert.ToHexString(bin.Bytes), StringComparison.Ordinal);
        bin.Run("[1, 5]");
        Assert.StartsWith("DC0021C71101", Convert.ToHexString(bin.Bytes), StringComparison.Ordinal);
        bin.Run("[0, 0]");
        Assert.StartsWith("DC0020000102", Convert.ToHexString(bin.Bytes), StringComparison.Ordinal);
        bin.Run("[0, 0x11]");
        Assert.StartsWith("DC0021C71111", Convert.ToHexString(bin.Bytes), StringComparison.Ordinal);
        bin.Run("[10, 0, 5]");
        Assert.Equal("m17[0, 1, 2, 3, 4]", bin.Text);
    }

    [Theory]
    [InlineData(false, 11)]
    [InlineData(true, 12)]
    public void Blocks_begin_where_the_index_says_after_any_change(bool onMap, int seed)
    {
        var random = new Random(seed);
        for (var run = 0; run < 20; run++)
        {
            var bin = new CdtBin("-");
            var model = new SortedDictionary<int, int>();
            var list = new List<int>();
            bin.Run(onMap ? "[64, 1]" : "[0, 1]");
            for (var step = 0; step < 400; step++)
            {
                var call = onMap ? MapStep(random, model, step) : ListStep(random, list, step);
                Assert.True(bin.Run(call) == ResultCode.Ok, $"seed {seed}, run {run}, step {step}: {call}");
                Check(bin, onMap, $"seed {seed}, run {run}, step {step}: {call}");
                var expected = onMap ? $"k{{{string.Join(", ", model.Select(pair => $"{pair.Key}: {pair.Value}"))}}}"
                    : $"o[{string.Join(", ", list)}]";
                Assert.Equal(expected, bin.Text);
                CheckReads(bin, onMap, model, list, random);
            }
        }
    }

    [Fact]
    public void An_index_that_does_not_fit_is_as_none()
    {
        var bin = new CdtBin("-");
        bin.Run($"[68, {{{string.Join(", ", Enumerable.Range(0, 100).Select(i => $"{i}: {i}"))}}}, 1]");
        var stored = bin.Bytes;
        var random = new Random(5);
        for (var round = 0; round < 5_000; round++)
        {
            bin.Bytes = [.. stored];
            bin.Bytes[random.Next(3, 60)] = (byte)random.Next(256); // head of the mark and numbers of the index
            var result = bin.Run($"[97, 7, {random.Next(100)}]");
            result = bin.Run($"[67, {random.Next(200)}, 1, 0]");
            result = bin.Run($"[98, 7, {random.Next(100)}]");
        }

        bin.Bytes = [.. stored];
        bin.Bytes[4]++; // more elements than there are
        Assert.NotEqual(ResultCode.Unknown, bin.Run("[97, 7, 55]"));
    }

    [Fact]
    public void A_change_inside_an_element_shifts_the_index_of_the_whole()
    {
        var bin = new CdtBin("-");
        bin.Run($"[68, {{{string.Join(", ", Enumerable.Range(0, 100).Select(i => $"{i}: [1]"))}}}, 1]");
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(ResultCode.Ok, bin.Run($"[0xFF, [0x22, {i * 37 % 100}], [1, \"more\"]]"));
            Check(bin, onMap: true, $"{i}");
        }

        Assert.Equal(ResultCode.Ok, bin.Run("[97, 7, 50]"));
        Assert.Equal("[1, \"more\"]", bin.Answer);
    }

    private static string ListStep(Random random, List<int> list, int step)
    {
        var value = random.Next(2_000);
        if (step > 150 && list.Count > 0 && random.Next(3) > 0)
        {
            var index = random.Next(list.Count);
            if (random.Next(6) == 0)
            {
                var count = Math.Min(random.Next(30), list.Count - index);
                list.RemoveRange(index, count);
                return $"[8, {index}, {count}]";
            }

            if (random.Next(4) == 0)
            {
                var sum = list[index] + value;
                list.RemoveAt(index);
                Insert(list, sum);
                return $"[12, {index}, {value}]";
            }

            list.RemoveAt(index);
            return $"[7, {index}]";
        }

        Insert(list, value);
        return $"[1, {value}]";
    }

    private static void Insert(List<int> list, int value) => list.Insert(list.Count(other => other <= value), value);

    private static string MapStep(Random random, SortedDictionary<int, int> model, int step)
    {
        var key = random.Next(300);
        if (step > 150 && random.Next(2) > 0)
        {
            model.Remove(key);
            return $"[76, 0, {key}]";
        }

        model[key] = random.Next(100_000);
        return $"[67, {key}, {model[key]}, 1]";
    }

    private static void CheckReads(CdtBin bin, bool onMap, SortedDictionary<int, int> model, List<int> list, Random random)
    {
        var count = onMap ? model.Count : list.Count;
        if (count == 0)
        {
            return;
        }

        var index = random.Next(count);
        bin.Run(onMap ? $"[98, 7, {index}]" : $"[17, {index}]");
        Assert.Equal($"{(onMap ? model.ElementAt(index).Value : list[index])}", bin.Answer);
        if (onMap)
        {
            var key = random.Next(300);
            bin.Run($"[97, 7, {key}]");
            Assert.Equal(model.TryGetValue(key, out var value) ? $"{value}" : "-", bin.Answer);
        }
    }

    // Each block of the index against a walk.
    private static void Check(CdtBin bin, bool onMap, string where)
    {
        var reader = new PackedReader(bin.Bytes);
        reader.TryRead(out var head);
        reader.TryRead(out var mark);
        if (onMap)
        {
            reader.TrySkip();
        }

        var count = head.Count - 1;
        Assert.True(mark.Raw.IsEmpty == (count < 32), where);
        if (mark.Raw.IsEmpty)
        {
            return;
        }

        var first = reader.Offset;
        Assert.Equal(count, BinaryPrimitives.ReadInt32LittleEndian(mark.Raw[1..]));
        Assert.Equal(bin.Bytes.Length - first, BinaryPrimitives.ReadInt32LittleEndian(mark.Raw[5..]));
        var (last, position) = (0, 0);
        for (var blocks = mark.Raw[9..]; !blocks.IsEmpty; blocks = blocks[8..])
        {
            var block = BinaryPrimitives.ReadInt32LittleEndian(blocks);
            Assert.True(block > last && block < count && block - last <= BlockLengthMax, where);
            for (; position < block; position++)
            {
                reader.TrySkip();
                if (onMap)
                {
                    reader.TrySkip();
                }
            }

            Assert.True(reader.Offset - first == BinaryPrimitives.ReadInt32LittleEndian(blocks[4..]), where);
            last = block;
        }

        Assert.True(count - last <= BlockLengthMax, where);
    }
}
