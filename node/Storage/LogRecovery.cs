namespace Aerie.Storage;

/// The beginning of a persistent log: which blocks hold records, and where in them the live ones are. Blocks may be
/// adopted and images counted by several threads at once. Ends with End, and only then may the log be used.
public sealed class LogRecovery
{
    private readonly BlockSpace _space;
    private readonly int _blocks;
    private readonly int _stripes;
    private int _nextOwner;

    internal LogRecovery(BlockSpace space, int blocks, int stripes)
    {
        _space = space;
        _blocks = blocks;
        _stripes = stripes;
    }

    /// A block with records; its chain of images and holes ends at `units`. Once each.
    public void Adopt(int block, int units) =>
        _space.Adopt(block, (int)((uint)Interlocked.Increment(ref _nextOwner) % (uint)_stripes), units);

    /// Where the chain of the block ends, when that is known.
    public void SetLength(int block, int units) => _space.SetLength(block, units);

    /// The image at this place of an adopted block is live. What turns out to be dead later is released as usual.
    public void Count(RecordLocation location) => _space.AddUsed(location.Block, location.Units);

    /// The mark at this place is kept.
    public void CountMark(RecordLocation location)
    {
        Count(location);
        _space.AddMarks(location.Block, 1);
    }

    /// What a checkpoint says of an adopted block: images that are live in it, and marks.
    public void Count(int block, int units, int marks)
    {
        _space.AddUsed(block, units + (marks * RemovalMark.Units));
        _space.AddMarks(block, marks);
    }

    /// A block of the checkpoint that the restart relies on. It stays as it is until it is given back.
    public void AdoptCheckpoint(int block) => _space.AdoptCheckpoint(block);

    public void Discount(RecordLocation location) => _space.AddUsed(location.Block, -location.Units);

    /// Blocks without anything live become free, as do those that nobody adopted.
    public void End()
    {
        _space.FreeTheRest();
        for (var block = 0; block < _blocks; block++)
        {
            if (_space.IsAdopted(block) && !_space.IsCheckpoint(block))
            {
                _space.DropHold(block);
            }
        }
    }
}
