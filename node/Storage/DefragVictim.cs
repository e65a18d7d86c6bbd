using Aerie.Foundation;

namespace Aerie.Storage;

/// A block whose images are to be moved, one after the other, by one thread. It yields dead images as well: only the
/// index knows. The mover takes the record's lock, checks that the index still points at the location, appends a copy,
/// points the index there and releases the location. Releases by others may go on meanwhile; the block's bytes stay
/// until the victim is disposed, which frees the block when nothing in it is used any more, or queues it again.
///
/// A walk that was given up goes on where it ended, with the image that could not be moved: nothing in a block says whether a
/// mark of a removed record was moved already, and a mark released twice would free the block under the records in it.
public sealed class DefragVictim : IDisposable
{
    private readonly BlockSpace _space;
    private readonly IBlockBacking _backing;
    private readonly int _units;
    private readonly uint _seed;
    private int _next;
    private int _current;
    private bool _disposed;

    internal DefragVictim(BlockSpace space, IBlockBacking backing, int block)
    {
        _space = space;
        _backing = backing;
        _units = space.LengthOf(block);
        _seed = backing.SeedOf(block);
        _next = Math.Max(backing.FirstUnit, space.WalkedOf(block));
        _current = _next;
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
        _current = _next; // what was taken before is done with
        while (_next < _units && _backing.TryLoad(Block, out var bytes))
        {
            var start = bytes[(_next * StorageUnit.Length)..];
            var units = RecordImage.UnitsAt(start);
            if (units == 0 || units > _units - _next)
            {
                GiveUp();
                break;
            }

            _current = _next;
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
            _space.SetWalked(Block, _current);
            _space.DropHold(Block);
        }
    }
}
