using Aerie.Foundation;

namespace Aerie.Storage.Devices;

public enum BlockItem
{
    /// Nothing follows.
    End,
    Record,
    Removal,
    Hole,

    /// Bytes that do not verify, with something sound behind them.
    Damage,
}

/// Reads one data block as it came from a device: `while (scan.MoveNext())`. Yields every image and hole that verifies
/// with the seed of the block's life. At bytes that do not verify it goes on unit by unit to the next image that does; when
/// there is none, the block was not finished when its writer ended, and those bytes are its tail: no damage.
///
/// Encoded images are taken by their headers; no key is needed.
///
/// The content may be anything. What looks like an image and is none is cheap to refuse, and WorkMax bounds the rest.
public ref struct BlockScan
{
    /// Bytes looked at in vain in one block before the scan gives up on what is left of it. Eight times the block: real
    /// damage takes one at most, only bytes made for this purpose take more.
    public const long WorkMax = 8L * IBlockBacking.BlockLength;

    /// A step over one bin counts as this many bytes, so that an earlier life of the block, whatever its bins, stays below WorkMax.
    private const int BytesPerStep = 16;

    private readonly ReadOnlySpan<byte> _block;
    private readonly uint _seed;
    private readonly int _end;
    private int _next;
    private long _work;

    /// `device` is DeviceHeader.BlockDevice, null when the label is lost. A block that is cut short is read as far as it goes.
    /// `from`: an image begins at this unit; what is in front of it, but for the header, is not looked at.
    public BlockScan(ReadOnlySpan<byte> block, ulong? device, int from = DeviceLayout.FirstUnit)
    {
        Invariant.Holds(block.Length is >= DeviceLayout.PageLength and <= IBlockBacking.BlockLength);
        _block = block;
        State = BlockHeader.Read(block, device, out var header);
        Header = header;
        _seed = header.Seed;
        _end = block.Length / StorageUnit.Length;
        _next = State == BlockState.Records ? Math.Min(from, _end) : _end;
        TailUnit = _next;
    }

    /// Only a block in state Records yields anything.
    public readonly BlockState State { get; }

    public readonly BlockHeader Header { get; }

    public BlockItem Item { get; private set; }

    /// Where the current item lies: with the block's number this makes a RecordLocation.
    public int Unit { get; private set; }

    public int Units { get; private set; }

    /// Meaningful for a Record.
    public RecordImageReader Record { get; private set; }

    /// Meaningful for a Removal.
    public RemovalMark Removal { get; private set; }

    public int Records { get; private set; }

    public int Removals { get; private set; }

    /// Bytes of the records and removal marks seen, older versions among them.
    public long ImageBytes { get; private set; }

    public int DamagedRanges { get; private set; }

    public long DamagedBytes { get; private set; }

    /// The unit behind the last sound one. The number of units in the block when the block was finished.
    public int TailUnit { get; private set; }

    /// The rest was made to be costly, and is reported as damage.
    public bool GaveUp { get; private set; }

    public bool MoveNext()
    {
        if (_next < _end)
        {
            if (TryItemAt(_next))
            {
                Count();
                return true;
            }

            if (TryFindSound(_next + 1, out var sound))
            {
                Yield(BlockItem.Damage, _next, sound - _next);
                Count();
                return true;
            }
        }

        _next = _end;
        Yield(BlockItem.End, TailUnit, 0);
        return false;
    }

    private void Count()
    {
        var bytes = (long)Units * StorageUnit.Length;
        switch (Item)
        {
            case BlockItem.Record:
                Records++;
                ImageBytes += bytes;
                break;
            case BlockItem.Removal:
                Removals++;
                ImageBytes += bytes;
                break;
            case BlockItem.Damage:
                DamagedRanges++;
                DamagedBytes += bytes;
                break;
        }

        _next = Unit + Units;
        TailUnit = _next;
    }

    private bool TryFindSound(int from, out int sound)
    {
        for (sound = from; sound < _end; sound++)
        {
            if (TryItemAt(sound))
            {
                return true;
            }

            if (_work > WorkMax)
            {
                GaveUp = true;
                sound = _end;
                return true;
            }
        }

        return false;
    }

    /// Cheapest refusals first: nearly all units of a value, and most of what an earlier life left, fail at the size and
    /// the flags; structure comes before the checksum.
    private bool TryItemAt(int unit)
    {
        var rest = _block[(unit * StorageUnit.Length)..(_end * StorageUnit.Length)];
        var sizeAndFlags = RecordImage.SizeAndFlags(rest);
        var units = (int)(sizeAndFlags & RecordImage.SizeMask);
        if (units == 0 || units > _end - unit)
        {
            return false;
        }

        return (RecordFlags)(sizeAndFlags >> RecordImage.FlagsShift) switch
        {
            RecordFlags.Hole => RecordImage.IsSoundHole(rest, _seed) && Yield(BlockItem.Hole, unit, units),
            RecordFlags.Removal => TryRemoval(rest[..(units * StorageUnit.Length)], unit),
            _ => TryRecord(rest[..(units * StorageUnit.Length)], unit),
        };
    }

    private bool TryRemoval(ReadOnlySpan<byte> image, int unit)
    {
        if (!RemovalMark.TryRead(image, out var mark) || !RecordImage.IsSigned(image, _seed))
        {
            return false;
        }

        Removal = mark;
        return Yield(BlockItem.Removal, unit, RemovalMark.Units);
    }

    private bool TryRecord(ReadOnlySpan<byte> image, int unit)
    {
        if (!RecordImageReader.TryOpenStored(image, out var reader))
        {
            return false;
        }

        var fits = reader.IsWellFormed(out var steps);
        if (fits && RecordImage.IsSigned(image, _seed))
        {
            Record = reader;
            return Yield(BlockItem.Record, unit, reader.Units);
        }

        _work += ((long)steps * BytesPerStep) + (fits ? image.Length : 0);
        return false;
    }

    private bool Yield(BlockItem item, int unit, int units)
    {
        Item = item;
        Unit = unit;
        Units = units;
        return true;
    }
}
