using Aerie.Foundation;

namespace Aerie.Storage;

/// A block whose images are to be moved, one after the other, by one thread. It yields dead images as well: only the
/// index knows. The mover takes the record's lock, checks that the index still points at the location, appends a copy,
/// points the index there and releases the location. Releases by others may go on meanwhile; the block's bytes stay
/// until the victim is disposed, which frees the block when nothing in it is used any more, or queues it again.
public sealed class DefragVictim : IDisposable
{
    private readonly BlockSpace _space;
    private readonly IBlockBacking _backing;
    private readonly int _units;
    private readonly uint _seed;
    private int _next;
    private bool _disposed;

    internal DefragVictim(BlockSpace space, IBlockBacking backing, int block)
    {
        _space = space;
        _backing = backing;
        _units = space.LengthOf(block);
        _seed = backing.SeedOf(block);
        _next = backing.FirstUnit;
        Block = block;
    }

    public int Block { get; }

    /// What the checksums of its images are combined with.
    public uint Seed => _seed;

    /// The bytes came from a device and may have changed there. What is not sound stays where it is, and the block with it.
    public bool IsSound(ReadOnlySpan<byte> image) => RecordImage.IsSigned(image, _seed);

    /// Nothing more is taken from the block, and it is not picked again.
    public void GiveUp()
    {
        _space.MarkBroken(Block);
        _next = _units;
    }

    /// False at the end of the block.
    public bool TryNext(out ReadOnlySpan<byte> image, out RecordLocation location)
    {
        Invariant.Holds(!_disposed);
        while (_next < _units && _backing.TryLoad(Block, out var bytes))
        {
            var start = bytes[(_next * StorageUnit.Length)..];
            var units = RecordImage.UnitsAt(start);
            if (units == 0 || units > _units - _next)
            {
                GiveUp();
                break;
            }

            location = RecordLocation.Of(Block, _next, units);
            _next += units;
            if (!RecordImage.IsHole(start))
            {
                image = start[..location.Length];
                return true;
            }
        }

        image = default;
        location = RecordLocation.None;
        return false;
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _backing.Unload(Block);
            _space.DropHold(Block);
        }
    }
}
