using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

/// Writes images that say who they are, so that whatever is found in a log can be checked without knowing how it got there.
internal static class TestRecords
{
    private const byte Blob = 4;

    public static Digest DigestOf(int id)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        bytes.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, id);
        return new Digest(bytes);
    }

    public static int IdOf(ReadOnlySpan<byte> image) => BinaryPrimitives.ReadInt32LittleEndian(image[RecordImage.DigestOffset..]);

    /// Bytes of an image whose bin holds a value of this length.
    public static int LengthFor(int valueLength) =>
        StorageUnit.Padded(RecordImage.OptionalOffset + 1 + Aerie.DataModel.Bins.BinList.Measure(1, valueLength));

    /// The longest value whose image has this length.
    public static int ValueFor(int imageLength)
    {
        var value = imageLength - RecordImage.OptionalOffset - 1 - Aerie.DataModel.Bins.BinList.Measure(1, 0);
        while (LengthFor(value) > imageLength)
        {
            value--;
        }

        return value;
    }

    /// Returns the units of the image.
    public static int Fill(Span<byte> target, int id, ushort generation, int valueLength)
    {
        var writer = new RecordImageWriter(target, new RecordImageHeader { Digest = DigestOf(id), Generation = generation }, 1);
        writer.ReserveBin("v"u8, Blob, valueLength).Fill((byte)(id ^ generation));
        return writer.Finish();
    }

    public static bool TryAppend(
        RecordLog log, int writer, int id, int valueLength, out RecordLocation location, ushort generation = 1, int spare = 0)
    {
        if (!log.TryAppend(writer, LengthFor(valueLength) + spare, out location, out var target))
        {
            return false;
        }

        location = log.Commit(location, Fill(target, id, generation, valueLength));
        return true;
    }

    public static RecordLocation Append(RecordLog log, int id, int valueLength, int writer = 0, int spare = 0)
    {
        Assert.True(TryAppend(log, writer, id, valueLength, out var location, spare: spare));
        return location;
    }

    public static void AssertIs(ReadOnlySpan<byte> image, int id)
    {
        Assert.True(RecordImageReader.TryOpen(image, out var reader));
        Assert.True(reader.Verify());
        Assert.Equal(DigestOf(id), reader.Digest);
        var bins = reader.Bins;
        Assert.True(bins.MoveNext());
        Assert.False(bins.Current.Value.ContainsAnyExcept((byte)(id ^ reader.Generation)));
    }
}
