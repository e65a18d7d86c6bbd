using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Bits;

/// What a client allows a write to do. Numbers are the wire's.
[Flags]
internal enum BitFlags
{
    None = 0,
    CreateOnly = 1,
    UpdateOnly = 2,
    NoFail = 4,
    Partial = 8,
}

/// How resize goes about it. Numbers are the wire's.
[Flags]
internal enum ResizeFlags
{
    None = 0,
    FromFront = 1,
    GrowOnly = 2,
    ShrinkOnly = 4,
    All = FromFront | GrowOnly | ShrinkOnly,
}

/// How a run of bits is read as an integer and what an overflow does to it. Numbers are the wire's.
[Flags]
internal enum IntegerFlags
{
    None = 0,
    Signed = 1,
    Saturate = 2,
    Wrap = 4,
    All = Signed | Saturate | Wrap,
}

/// One place in the list of arguments.
internal enum BitArgument : byte
{
    Offset,
    Size,
    Blob,
    Number,
    Shift,
    Sought,
    Flags,
    SubFlags,
}

/// An operation's arguments as the client sent them, then, after Place, the run of the blob that it works on.
internal ref struct BitCall
{
    public long Offset;
    public long Size;
    public ReadOnlySpan<byte> Blob;
    public long Number;
    public bool Sought;
    public BitFlags Flags;
    public int SubFlags;

    /// The run, in bits or bytes as the operation counts. Behind the end where the operation may reach there.
    public int Start;
    public int Count;

    public readonly ResizeFlags Resize => (ResizeFlags)SubFlags;

    public readonly IntegerFlags Integer => (IntegerFlags)SubFlags;

    /// Reads `[code, argument…]` as the operation's row says. Flags may be left out.
    public bool TryParse(ref PackedReader reader, BitOperation operation, int count)
    {
        if (count < operation.Required || count > operation.Arguments.Length)
        {
            return false;
        }

        for (var i = 0; i < count; i++)
        {
            if (!TryTake(ref reader, operation.Arguments[i]))
            {
                return false;
            }
        }

        return reader.IsAtEnd && IsAllowedFor(operation);
    }

    /// Finds the run in a value of `length` units. An offset below zero counts from the end.
    public ResultCode Place(long length, ResultCode outside)
    {
        var start = Offset < 0 ? length + Offset : Offset;
        if (start < 0 || start >= length)
        {
            return outside;
        }

        if (Size > length - start)
        {
            if ((Flags & BitFlags.Partial) == 0)
            {
                return outside;
            }

            Size = length - start;
        }

        Start = (int)start;
        Count = (int)Size;
        return ResultCode.Ok;
    }

    private bool TryTake(ref PackedReader reader, BitArgument argument)
    {
        if (!reader.TryRead(out var item))
        {
            return false;
        }

        switch (argument)
        {
            case BitArgument.Offset:
                Offset = item.Bits;
                return item.IsInteger;
            case BitArgument.Size:
                Size = item.Bits;
                return item.IsInteger && Size >= 0;
            case BitArgument.Blob:
                Blob = item.Bytes;
                return item.Kind == PackedKind.Bytes && item.Tag == (byte)ParticleType.Bytes && !Blob.IsEmpty;
            case BitArgument.Number:
                Number = item.Bits;
                return item.IsInteger;
            case BitArgument.Shift:
                Number = item.Bits;
                return item.IsInteger && Number >= 0;
            case BitArgument.Sought:
                Sought = item.Kind == PackedKind.True;
                return item.Kind is PackedKind.True or PackedKind.False;
            case BitArgument.Flags:
                Flags = (BitFlags)item.Bits;
                return item.IsInteger && item.Bits is >= 0 and <= byte.MaxValue;
            default:
                SubFlags = (int)item.Bits;
                return item.IsInteger && item.Bits is >= 0 and <= byte.MaxValue;
        }
    }

    // "Only grow" and "only shrink", "saturate" and "wrap": each pair takes the same two bits.
    private readonly bool IsAllowedFor(BitOperation operation)
    {
        const BitFlags Contradiction = BitFlags.CreateOnly | BitFlags.UpdateOnly;
        const int SubContradiction = (int)(IntegerFlags.Saturate | IntegerFlags.Wrap);
        return (Flags & ~operation.Flags) == 0 && (Flags & Contradiction) != Contradiction
            && (SubFlags & ~operation.SubFlags) == 0 && (SubFlags & SubContradiction) != SubContradiction
            && Size >= operation.SizeMin && Size <= operation.SizeMax
            && (!operation.RunIsOfBlob || Size <= Blob.Length * 8L);
    }
}
