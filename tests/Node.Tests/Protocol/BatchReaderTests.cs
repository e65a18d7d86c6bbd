using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Protocol;

public sealed class BatchReaderTests
{
    [Fact]
    public void A_reader_goes_on_from_any_position_as_if_it_had_never_stopped()
    {
        var field = new WireBatch().Read("a", "x").Repeat("b").Put("c", "v", "1").Repeat("d").Repeat("e").Delete("f").Field();
        var whole = Rows(field, int.MaxValue);
        for (var piece = 1; piece <= 6; piece++)
        {
            Assert.Equal(whole, Rows(field, piece));
        }

        Assert.Equal(6, whole.Count);
    }

    [Fact]
    public void A_count_that_the_field_cannot_hold_is_refused_before_anything_is_read()
    {
        var field = new WireBatch { CountClaimed = 2 }.Read("a").Field();
        Assert.True(BatchReader.TryStart(field, out _, out _, out _)); // its one row is as long as two short ones
        Assert.False(BatchReader.TryStart(field.AsSpan(0, 4 + (2 * 25)), out _, out _, out _));
        Assert.False(BatchReader.TryStart([0, 0, 0, 1], out _, out _, out _));
    }

    [Fact]
    public void Every_truncation_is_noticed()
    {
        var field = new WireBatch().Read("a", "x").Repeat("b").Put("c", "v", "1").Field();
        for (var length = 5; length < field.Length; length++)
        {
            var reader = BatchReader.At(field.AsSpan(0, length), default, new BatchPosition(5, 0, 3));
            var rows = 0;
            while (reader.TryNext(out _))
            {
                rows++;
            }

            Assert.True(reader.Malformed);
            Assert.True(rows < 3);
        }
    }

    [Fact]
    public void A_row_that_repeats_nothing_is_malformed()
    {
        var reader = Start(new WireBatch().Repeat("a").Field());
        Assert.False(reader.TryNext(out _));
        Assert.True(reader.Malformed);
    }

    [Fact]
    public void Random_bytes_never_lead_out_of_the_field()
    {
        var random = new Random(41);
        var field = new WireBatch().Read("a", "x").Repeat("b").Put("c", "v", "1").Delete("d").Field();
        for (var run = 0; run < 20_000; run++)
        {
            var bytes = field.AsSpan(0, random.Next(5, field.Length + 1)).ToArray();
            for (var change = 0; change < 3; change++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            if (BatchReader.TryStart(bytes, out var count, out _, out var start))
            {
                var reader = BatchReader.At(bytes, default, start);
                var rows = 0u;
                while (reader.TryNext(out var row))
                {
                    Assert.Equal(Digest.Length, row.Digest.Length);
                    rows++;
                }

                Assert.True(rows <= count);
            }
        }
    }

    private static BatchReader Start(byte[] field)
    {
        Assert.True(BatchReader.TryStart(field, out _, out _, out var start));
        return BatchReader.At(field, default, start);
    }

    // A new reader after every `piece` rows.
    private static List<(uint Index, string Digest, Info1 Info1, Info2 Info2, int Ops)> Rows(byte[] field, int piece)
    {
        var rows = new List<(uint, string, Info1, Info2, int)>();
        Assert.True(BatchReader.TryStart(field, out var count, out _, out var position));
        while (rows.Count < count)
        {
            var reader = BatchReader.At(field, default, position);
            for (var i = 0; i < piece && reader.TryNext(out var row); i++)
            {
                rows.Add((row.Index, new Digest(row.Digest).ToString(), row.Info1, row.Info2, row.OpCount));
            }

            Assert.False(reader.Malformed);
            position = reader.Position;
        }

        return rows;
    }
}
