using System.Buffers.Binary;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Protocol;

public sealed class BatchReaderFieldTests
{
    private static readonly byte[] ReadOp = [0, 0, 0, 5, (byte)OpCode.Read, 0, 0, 1, (byte)'a'];

    [Fact]
    public void A_row_that_repeats_has_all_of_the_row_before_but_index_and_digest()
    {
        var field = Sample();
        var rows = ReadAll(field);
        Assert.Equal(5, rows.Count);
        Assert.Equal([0u, 1u, 2u, 3u, 4u], rows.Select(row => row.Index));
        Assert.Equal(["k0", "k1", "k2", "k3", "k4"], rows.Select(row => row.Key));
        Assert.Equal(["one", "one", "two", "two", "two"], rows.Select(row => row.Set));
        Assert.Equal([Info2.None, Info2.None, Info2.Write, Info2.Write, Info2.Write], rows.Select(row => row.Info2));
        Assert.Equal([1, 1, 0, 0, 0], rows.Select(row => row.Ops));
    }

    [Fact]
    public void Reading_may_go_on_at_any_position()
    {
        var field = Sample();
        var whole = ReadAll(field);
        Assert.True(BatchReader.TryStart(field, out _, out _, out var position));
        for (var read = 0; read < whole.Count; read++)
        {
            Assert.Equal(whole.Skip(read), ReadFrom(field, position));
            var reader = BatchReader.At(field, default, position);
            Assert.True(reader.TryNext(out _));
            position = reader.Position;
        }

        Assert.Equal(0, position.RowsLeft);
    }

    [Fact]
    public void Attributes_of_every_type_of_row_are_read()
    {
        byte[] field = [0, 0, 0, 1, 0, 0, 0, 0, 7, .. new byte[20], 0x1E, 1, 2, 4, 8, 0x12, 0x34, 0, 0, 1, 0, 0, 0, 0, 0];
        Assert.True(BatchReader.TryStart(field, out _, out _, out var position));
        var reader = BatchReader.At(field, default, position);
        Assert.True(reader.TryNext(out var row));
        Assert.Equal((7u, Info1.Read, Info2.Delete, Info3.PartitionDone), (row.Index, row.Info1, row.Info2, row.Info3));
        Assert.Equal((8, 0x1234u, 256u), (row.Info4, row.Generation, row.Ttl));
    }

    [Theory]
    [InlineData(0x21)] // an unknown kind of row
    [InlineData(0x80)]
    [InlineData(0x01)] // repeats, and nothing came before
    public void A_first_row_of_a_wrong_type_is_malformed(byte type)
    {
        byte[] field = [0, 0, 0, 1, 0, 0, 0, 0, 0, .. new byte[20], type, .. new byte[16]];
        Assert.True(BatchReader.TryStart(field, out _, out _, out var position));
        var reader = BatchReader.At(field, default, position);
        Assert.False(reader.TryNext(out _));
        Assert.True(reader.Malformed);
        Assert.False(reader.TryNext(out _));
    }

    [Fact]
    public void A_count_that_the_bytes_cannot_hold_is_refused_before_anything_is_read()
    {
        var field = Sample();
        BinaryPrimitives.WriteUInt32BigEndian(field, uint.MaxValue);
        Assert.False(BatchReader.TryStart(field, out _, out _, out _));
        BinaryPrimitives.WriteUInt32BigEndian(field, (uint)field.Length / 25 + 1);
        Assert.False(BatchReader.TryStart(field, out _, out _, out _));
    }

    [Fact]
    public void A_field_that_ends_early_is_refused_or_malformed_at_every_length()
    {
        var field = Sample();
        for (var length = 0; length < field.Length; length++)
        {
            var cut = field.AsSpan(0, length);
            if (BatchReader.TryStart(cut, out var count, out _, out var position))
            {
                var reader = BatchReader.At(cut, default, position);
                var read = 0;
                while (reader.TryNext(out _))
                {
                    read++;
                }

                Assert.True(reader.Malformed && read < count, $"{length} bytes");
            }
        }
    }

    [Fact]
    public void Changed_bytes_never_make_a_reader_throw_or_give_more_rows_than_announced()
    {
        const int seed = 42_041;
        var random = new Random(seed);
        var sound = Sample();
        for (var i = 0; i < 50_000; i++)
        {
            var field = sound.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
            {
                field[random.Next(field.Length)] = (byte)random.Next(256);
            }

            if (BatchReader.TryStart(field, out var count, out _, out var position))
            {
                var reader = BatchReader.At(field, default, position);
                var read = 0u;
                while (reader.TryNext(out var row))
                {
                    read++;
                    Assert.True(Ops.TryMeasure(row.OpBytes, row.OpCount, out _));
                }

                Assert.True(reader.Malformed ? read < count : read == count);
            }
        }
    }

    private static byte[] Sample()
    {
        byte[] one = [.. WireBatchField.FieldBytes(FieldId.Namespace, "test"u8), .. WireBatchField.FieldBytes(FieldId.Set, "one"u8)];
        byte[] two = [.. WireBatchField.FieldBytes(FieldId.Namespace, "test"u8), .. WireBatchField.FieldBytes(FieldId.Set, "two"u8)];
        return new WireBatchField()
            .Row(WireRequest.DigestOf("k0"), Info1.Read, Info2.None, one, 2, ReadOp, 1)
            .Again(WireRequest.DigestOf("k1"))
            .Row(WireRequest.DigestOf("k2"), Info1.None, Info2.Write, two, 2, [], 0)
            .Again(WireRequest.DigestOf("k3"))
            .Again(WireRequest.DigestOf("k4"))
            .Field();
    }

    private static List<Row> ReadAll(byte[] field)
    {
        Assert.True(BatchReader.TryStart(field, out var count, out _, out var position));
        Assert.Equal(5u, count);
        return ReadFrom(field, position);
    }

    private static List<Row> ReadFrom(byte[] field, BatchPosition position)
    {
        var rows = new List<Row>();
        var reader = BatchReader.At(field, default, position);
        while (reader.TryNext(out var row))
        {
            var digest = Convert.ToHexString(row.Digest);
            var key = Enumerable.Range(0, 5).Select(i => $"k{i}").Single(name => WireRequest.DigestOf(name).ToString() == digest);
            rows.Add(new Row(row.Index, key, System.Text.Encoding.UTF8.GetString(row.Fields.Set), row.Info2, row.OpCount));
        }

        Assert.False(reader.Malformed);
        return rows;
    }

    private sealed record Row(uint Index, string Key, string Set, Info2 Info2, int Ops);
}
