using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

/// A record of random shape and the image that must hold it.
internal sealed record RandomRecord(
    byte[] Digest, ulong LastUpdateTime, ushort Generation, uint VoidTime, ushort SetId, bool IsTombstone, byte KeyType, byte[] Key,
    List<(byte[] Name, byte Type, byte[] Value)> Bins)
{
    public static RandomRecord Next(Random random, int valueLengthMax = 20_000)
    {
        var hasKey = random.Next(2) == 0;
        var bins = Enumerable.Range(0, random.Next(10) == 0 ? random.Next(300) : random.Next(6))
            .Select(_ => NextBin(random, valueLengthMax))
            .ToList();
        return new RandomRecord(
            Bytes(random, 20),
            (ulong)random.NextInt64(1L << 40),
            (ushort)random.Next(65_536),
            random.Next(2) == 0 ? 0 : (uint)random.Next(),
            (ushort)(random.Next(2) == 0 ? 0 : random.Next(65_536)),
            random.Next(8) == 0,
            hasKey ? (byte)random.Next(1, 256) : (byte)0,
            hasKey ? Bytes(random, random.Next(200)) : [],
            bins);
    }

    public byte[] Write()
    {
        var header = new RecordImageHeader
        {
            Digest = new Digest(Digest),
            LastUpdateTime = LastUpdateTime,
            Generation = Generation,
            VoidTime = VoidTime,
            SetId = SetId,
            IsTombstone = IsTombstone,
            KeyType = KeyType,
            Key = Key,
        };
        var length = StorageUnit.Padded(
            RecordImage.MeasureHeader(header, Bins.Count) + Bins.Sum(bin => BinList.Measure(bin.Name.Length, bin.Value.Length)));
        var target = new byte[length + 64];
        Array.Fill(target, (byte)0xEE);
        var writer = new RecordImageWriter(target, header, Bins.Count);
        foreach (var (name, type, value) in Bins)
        {
            writer.AddBin(name, type, value);
        }

        Assert.Equal(length, writer.Finish() * StorageUnit.Length);
        Assert.False(target.AsSpan(length).ContainsAnyExcept((byte)0xEE)); // nothing beyond what was measured
        return target[..length];
    }

    public void AssertIs(ReadOnlySpan<byte> image, RecordImageReader reader)
    {
        Assert.Equal(new Digest(Digest), reader.Digest);
        Assert.Equal((LastUpdateTime, Generation), (reader.LastUpdateTime, reader.Generation));
        Assert.Equal((VoidTime, SetId), (reader.VoidTime, reader.SetId));
        Assert.Equal((IsTombstone, KeyType), (reader.IsTombstone, reader.KeyType));
        Assert.Equal(Key, reader.Key);
        Assert.Equal(Bins.Count, reader.BinCount);
        var next = 0;
        foreach (var bin in reader.Bins)
        {
            var (name, type, value) = Bins[next++];
            Assert.Equal(name, bin.Name);
            Assert.Equal(type, bin.ParticleType);
            Assert.Equal(value, bin.Value);
            Assert.Equal(value, bin.Place.Value(image));
        }

        Assert.Equal(Bins.Count, next);
    }

    private static (byte[] Name, byte Type, byte[] Value) NextBin(Random random, int valueLengthMax)
    {
        var lengthMax = random.Next(10) == 0 ? valueLengthMax : Math.Min(100, valueLengthMax);
        return (Bytes(random, random.Next(16)), (byte)random.Next(256), Bytes(random, random.Next(lengthMax)));
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
