using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// Order of a list or map as its mark says it, in the numbers of the wire.
public static class CdtFlags
{
    /// A list in order of its values, a map in order of its keys.
    public const byte Ordered = 0x01;

    /// With Ordered, a map that clients asked to keep by value too. It lies in order of its keys like any other.
    public const byte ValueOrdered = 0x02;

    /// In replies alone: pairs whose order is the answer.
    public const byte PreserveOrder = 0x08;

    /// Clients ask that the index be kept with the value. Ours always is where it helps; the flag is kept for them to see.
    public const byte PersistIndex = 0x10;

    public const byte ListMask = Ordered | PersistIndex;
    public const byte MapMask = Ordered | ValueOrdered | PersistIndex;
}

/// The head of a list or map and where its elements lie. Reading the head says nothing about the elements: they may be broken.
public readonly ref struct PackedContainer
{
    private const byte Nil = 0xC0;

    /// The whole value, from its head to its end.
    public ReadOnlySpan<byte> Bytes { get; init; }

    public bool IsMap { get; init; }

    /// Elements of a list, pairs of a map; the mark is not among them.
    public int Count { get; init; }

    /// Of CdtFlags, without what means nothing here. 0: no order, no mark.
    public byte Flags { get; init; }

    /// The flags as the mark has them. 0: there is none.
    public byte Tag { get; init; }

    /// Where the first element begins, behind the mark.
    public int First { get; init; }

    /// What lies in the mark beside the flags: in stored values perhaps an index (CdtIndex).
    public ReadOnlySpan<byte> MarkData { get; init; }

    public bool IsOrdered => (Flags & CdtFlags.Ordered) != 0;

    /// Packed values for each element.
    public int Width => IsMap ? 2 : 1;

    public static bool TryOpen(ReadOnlySpan<byte> value, out PackedContainer container)
    {
        container = default;
        var reader = new PackedReader(value);
        if (!reader.TryRead(out var head) || !head.IsContainer)
        {
            return false;
        }

        var isMap = head.Kind == PackedKind.Map;
        var count = head.Count;
        var first = reader.Offset;
        byte flags = 0;
        byte tag = 0;
        ReadOnlySpan<byte> data = default;
        if (count > 0 && reader.TryRead(out var mark) && mark.Kind == PackedKind.Extension)
        {
            first = isMap ? BehindFiller(value, reader.Offset) : reader.Offset;
            count--;
            tag = mark.Tag;
            flags = (byte)(mark.Tag & (isMap ? CdtFlags.MapMask : CdtFlags.ListMask));
            data = mark.Raw;
        }

        container = new PackedContainer
        {
            Bytes = value,
            IsMap = isMap,
            Count = count,
            Flags = flags,
            Tag = tag,
            First = first,
            MarkData = data,
        };
        return first >= 0;
    }

    // The mark of a map has a value like any key, as a rule nil. It is asked for rather than measured: a processor guesses the answer
    // and goes on, where it would have to wait for a length, and behind an index these bytes come from far away.
    private static int BehindFiller(ReadOnlySpan<byte> value, int offset) =>
        (uint)offset < (uint)value.Length && value[offset] == Nil ? offset + 1 : PackedSkip.Skip(value, offset);

    /// One that does not exist yet.
    public static PackedContainer Empty(bool isMap, byte flags) => new() { IsMap = isMap, Flags = flags };
}
