using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Hll;

/// What a client allows a write to do. Numbers are the wire's.
[Flags]
internal enum HllFlags
{
    None = 0,
    CreateOnly = 1,
    UpdateOnly = 2,
    NoFail = 4,
    AllowFold = 8,
}

/// One place in the list of arguments.
internal enum HllArgument : byte
{
    /// Values to be counted.
    Values,

    /// Sketches, one at least.
    Sketches,

    IndexBits,
    IndexBitsIfNew,
    MinhashBitsIfNew,
    Flags,
}

/// An operation's arguments.
internal ref struct HllCall
{
    /// A client that leaves bits to the server says so.
    public const int Unsaid = -1;

    public HllCall()
    {
    }

    /// The packed values, one behind the other.
    public ReadOnlySpan<byte> Values;
    public int ValueCount;
    public int IndexBits = Unsaid;
    public int MinhashBits = Unsaid;
    public HllFlags Flags;

    /// Reads `[code, argument…]` as the operation's row says; sketches go to the scratch. What has a default may be left out.
    public bool TryParse(ref PackedReader reader, HllOperation operation, int count, HllScratch scratch)
    {
        if (count < operation.Required || count > operation.Arguments.Length)
        {
            return false;
        }

        for (var i = 0; i < count; i++)
        {
            if (!TryTake(ref reader, operation.Arguments[i], scratch))
            {
                return false;
            }
        }

        const HllFlags Contradiction = HllFlags.CreateOnly | HllFlags.UpdateOnly;
        return reader.IsAtEnd && (Flags & ~operation.Flags) == 0 && (Flags & Contradiction) != Contradiction
            && (IndexBits == Unsaid || MinhashBits == Unsaid || IndexBits + MinhashBits <= HllShape.BitsMax);
    }

    private bool TryTake(ref PackedReader reader, HllArgument argument, HllScratch scratch)
    {
        switch (argument)
        {
            case HllArgument.Values:
                return TryTakeValues(ref reader);
            case HllArgument.Sketches:
                return TryTakeSketches(ref reader, scratch);
        }

        if (!reader.TryInteger(out var number))
        {
            return false;
        }

        switch (argument)
        {
            case HllArgument.IndexBits or HllArgument.IndexBitsIfNew:
                IndexBits = (int)number;
                return HllShape.IsIndexBits(number) || (number == Unsaid && argument == HllArgument.IndexBitsIfNew);
            case HllArgument.MinhashBitsIfNew:
                MinhashBits = (int)number;
                return HllShape.IsMinhashBits(number) || number == Unsaid;
            default:
                Flags = (HllFlags)number;
                return number is >= 0 and <= byte.MaxValue;
        }
    }

    private bool TryTakeValues(ref PackedReader reader)
    {
        if (!reader.TryRead(out var list) || list.Kind != PackedKind.List)
        {
            return false;
        }

        var start = reader.Offset;
        ValueCount = list.Count;
        for (var i = 0; i < list.Count; i++)
        {
            if (!reader.TrySkip())
            {
                return false;
            }
        }

        Values = reader.All[start..reader.Offset];
        return true;
    }

    // Clients send a sketch as such or, those that do not know the type, as a plain blob.
    private static bool TryTakeSketches(ref PackedReader reader, HllScratch scratch)
    {
        if (!reader.TryRead(out var list) || list.Kind != PackedKind.List || list.Count == 0)
        {
            return false;
        }

        for (var i = 0; i < list.Count; i++)
        {
            if (!reader.TryRead(out var item) || (ParticleType)item.Tag is not (ParticleType.Hll or ParticleType.Bytes)
                || item.Kind != PackedKind.Bytes || !HllSketch.TryOpen(item.Bytes, out _))
            {
                return false;
            }

            scratch.Add(reader.Offset - item.Bytes.Length, item.Bytes.Length);
        }

        return true;
    }
}
