namespace Aerie.DataModel.Hll;

/// Memory of operations on sketches, kept from call to call. One for each thread.
public sealed class HllScratch
{
    private readonly byte[] _ranks = new byte[1 << HllShape.IndexBitsMax];
    private (int Offset, int Length)[] _places = new (int, int)[16];

    /// Sketches that the call brings.
    internal int Count { get; private set; }

    internal void Clear() => Count = 0;

    /// Notes where in the call a sketch lies.
    internal void Add(int offset, int length)
    {
        if (Count == _places.Length)
        {
            Array.Resize(ref _places, Count * 2);
        }

        _places[Count++] = (offset, length);
    }

    internal ReadOnlySpan<byte> Read(ReadOnlySpan<byte> call, int index) => call.Slice(_places[index].Offset, _places[index].Length);

    /// A rank of zero for each register.
    internal Span<byte> Ranks(int registers)
    {
        var ranks = _ranks.AsSpan(0, registers);
        ranks.Clear();
        return ranks;
    }
}
