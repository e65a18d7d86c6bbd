using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// Numbers that an operation works with, kept for the next one.
internal sealed class IntBuffer
{
    /// Above this, memory is given back: one huge list must not cost every thread that much for ever.
    private const int KeptMax = 256 * 1024;

    private int[] _numbers = new int[64];

    public Span<int> Take(int count)
    {
        if (_numbers.Length < count)
        {
            _numbers = new int[Math.Max(count, Math.Min(2 * _numbers.Length, KeptMax))];
        }

        return _numbers.AsSpan(0, count);
    }

    public void Trim()
    {
        if (_numbers.Length > KeptMax)
        {
            _numbers = new int[64];
        }
    }
}

/// The memory of list and map operations: one for each thread, used by one operation after the other.
public sealed class CdtScratch
{
    /// A value that is put together in steps may be as large as the largest record, and a little more while it is being made.
    private const int WorkMax = 16 * 1024 * 1024;

    private bool[] _mask = new bool[64];

    internal IntBuffer Offsets { get; } = new();

    internal IntBuffer ByIndex { get; } = new();

    internal IntBuffer ByRank { get; } = new();

    internal IntBuffer RankOf { get; } = new();

    internal IntBuffer Sorting { get; } = new();

    internal IntBuffer Picks { get; } = new();

    /// The same for the elements that come with the call.
    internal IntBuffer ItemOffsets { get; } = new();

    internal IntBuffer ItemOrder { get; } = new();

    internal IntBuffer ItemPlaces { get; } = new();

    /// Of an index that is being made.
    internal IntBuffer Blocks { get; } = new();

    internal CdtPathItem[] PathItems { get; } = new CdtPathItem[CdtPath.ItemsMax];

    internal CdtLevel[] Levels { get; } = new CdtLevel[CdtPath.ItemsMax];

    /// What a nested operation writes, and what its parents become, in turns.
    internal GrowingBytes Work { get; private set; } = new(WorkMax);

    internal GrowingBytes OtherWork { get; private set; } = new(WorkMax);

    /// Arguments of the call, where those that came were not in order.
    internal GrowingBytes Clean { get; } = new(WorkMax);

    internal void SwapWork() => (Work, OtherWork) = (OtherWork, Work);

    internal Span<bool> Mask(int count)
    {
        if (_mask.Length < count)
        {
            _mask = new bool[count];
        }

        var mask = _mask.AsSpan(0, count);
        mask.Clear();
        return mask;
    }

    /// Before each operation.
    internal void Begin()
    {
        Work.Clear();
        OtherWork.Clear();
    }

    /// Gives back what one huge value took.
    internal void Trim()
    {
        const int maskKeptMax = 256 * 1024;
        if (_mask.Length <= maskKeptMax)
        {
            return;
        }

        _mask = new bool[64];
        Offsets.Trim();
        ByIndex.Trim();
        ByRank.Trim();
        RankOf.Trim();
        Sorting.Trim();
        Picks.Trim();
        ItemOffsets.Trim();
        ItemOrder.Trim();
        ItemPlaces.Trim();
    }
}
