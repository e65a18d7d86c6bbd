using Aerie.Foundation;
using Aerie.Storage;
using Aerie.Storage.Devices;

namespace Aerie.Node.Tests.Storage.Devices;

/// A data block as a backing writes it, filled from its first unit on; a mirror says what a scan must find.
internal sealed class TestBlock
{
    public const ulong Device = 0x0807060504030201;

    private readonly uint _seed;

    public TestBlock(ulong sequence, byte[]? earlier = null, uint salt = 0x5A17)
    {
        Bytes = earlier ?? new byte[DeviceLayout.BlockLength];
        _seed = BlockHeader.SeedOf(sequence, salt);
        new BlockHeader(BlockKind.Records, sequence, Device, 1_800_000_000_000, salt).Write(Bytes.AsSpan(0, DeviceLayout.PageLength));
    }

    public byte[] Bytes { get; }

    public int Head { get; private set; } = DeviceLayout.FirstUnit;

    /// What was written: kind, unit, units.
    public List<(BlockItem Item, int Unit, int Units)> Written { get; } = [];

    private Span<byte> Rest => Bytes.AsSpan(Head * StorageUnit.Length);

    public int AddRecord(int id, int valueLength, ushort generation = 1) =>
        Add(BlockItem.Record, TestRecords.Fill(Rest, id, generation, valueLength));

    public int AddImage(ReadOnlySpan<byte> image)
    {
        image.CopyTo(Rest);
        return Add(BlockItem.Record, image.Length / StorageUnit.Length);
    }

    public int AddRemoval(int id, ulong lastUpdateTime, ulong since) =>
        Add(BlockItem.Removal, RemovalMark.Write(Rest, TestRecords.DigestOf(id), lastUpdateTime, since));

    public int AddHole(int units)
    {
        RecordImage.WriteHole(Rest, units);
        return Add(BlockItem.Hole, units);
    }

    public void FillWithRecords(int valueLength)
    {
        for (var id = 0; Head + (TestRecords.LengthFor(valueLength) / StorageUnit.Length) <= StorageUnit.PerBlock; id++)
        {
            AddRecord(id, valueLength);
        }
    }

    public void Seal()
    {
        if (Head < StorageUnit.PerBlock)
        {
            AddHole(StorageUnit.PerBlock - Head);
        }
    }

    public List<(BlockItem Item, int Unit, int Units)> Scan()
    {
        var found = new List<(BlockItem, int, int)>();
        var scan = new BlockScan(Bytes, Device);
        while (scan.MoveNext())
        {
            found.Add((scan.Item, scan.Unit, scan.Units));
        }

        return found;
    }

    private int Add(BlockItem item, int units)
    {
        RecordImage.Reseed(Rest, _seed);
        Written.Add((item, Head, units));
        var unit = Head;
        Head += units;
        return unit;
    }
}
