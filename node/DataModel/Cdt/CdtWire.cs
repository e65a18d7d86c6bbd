using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Between lists and maps as clients know them and as bins keep them. A large ordered one has an index in its mark (CdtIndex) that no
/// client may see, and none may bring; and what a client calls ordered is only kept as such when it is.
public static class CdtWire
{
    /// Bytes of the longest head.
    public const int HeadMax = 9;

    /// The head of a stored list or map as clients see it, to be followed by the stored bytes from `rest` on. Returns the length of
    /// the head: 0 when the stored bytes are what clients see.
    public static int WriteHead(ReadOnlySpan<byte> stored, Span<byte> head, out int rest)
    {
        rest = 0;
        if (!PackedContainer.TryOpen(stored, out var container) || container.MarkData.IsEmpty)
        {
            return 0;
        }

        var reader = new PackedReader(stored);
        reader.TryRead(out _);
        var length = reader.Offset;
        stored[..length].CopyTo(head);
        head[length++] = 0xC7;
        head[length++] = 0;
        head[length++] = container.Flags;
        if (container.IsMap)
        {
            head[length++] = 0xC0;
        }

        rest = container.First;
        return length;
    }

    /// Appends a stored list or map as clients see it.
    public static void Append(GrowingBytes target, ReadOnlySpan<byte> stored)
    {
        Span<byte> head = stackalloc byte[HeadMax];
        target.Append(head[..WriteHead(stored, head, out var rest)]);
        target.Append(stored[rest..]);
    }

    /// Checks what a client wants to store as a list or map. Ok and `asGiven`: it may be stored as it is; otherwise what is to be
    /// stored has been appended to `target`. Parameter: it is no such value, or too deep.
    public static ResultCode Read(
        ReadOnlySpan<byte> bytes, ParticleType type, CdtScratch scratch, GrowingBytes target, out bool asGiven)
    {
        asGiven = true;
        var end = PackedSkip.Survey(bytes, out var containers, out var hasExtensions);
        if (end != bytes.Length || !PackedContainer.TryOpen(bytes, out var top) || top.IsMap != (type == ParticleType.Map)
            || (containers >= PackedReader.DepthMax && PackedSkip.Depth(bytes) >= PackedReader.DepthMax))
        {
            return ResultCode.Parameter;
        }

        if (!hasExtensions)
        {
            return ResultCode.Ok;
        }

        if (HasForeign(bytes))
        {
            return ResultCode.Parameter;
        }

        var start = target.Length;
        if (!IsClean(bytes))
        {
            asGiven = false;
            Clean(bytes, target, scratch);
        }
        else if (top.IsOrdered && top.Count >= CdtIndex.ElementsMin)
        {
            asGiven = false;
            target.Append(bytes);
        }

        if (!asGiven)
        {
            CdtIndex.Attach(target, start, scratch);
        }

        return target.Overflowed ? ResultCode.RecordTooBig : ResultCode.Ok;
    }

    /// All that is called ordered is, and there is nothing in marks but the order. For values that are not broken nor too deep.
    internal static bool IsClean(ReadOnlySpan<byte> value) => CleanEnd(value, 0) >= 0;

    /// Appends the value with everything ordered that is called so, and nothing else in marks.
    internal static void Clean(ReadOnlySpan<byte> value, GrowingBytes target, CdtScratch scratch) => Clean(value, 0, target, scratch);

    /// Extensions that are no marks of order: a wildcard stands for values and is none, and others would be taken for marks once they
    /// come first.
    internal static bool HasForeign(ReadOnlySpan<byte> value)
    {
        var reader = new PackedReader(value);
        for (var left = 1L; left > 0; left--)
        {
            if (!reader.TryRead(out var item) || item.Kind is PackedKind.Extension or PackedKind.Wildcard or PackedKind.Infinity)
            {
                return true;
            }

            left += item.Kind == PackedKind.Map ? 2L * item.Count : item.Count;
            var behind = reader;
            if (item.Count > 0 && behind.TryRead(out var mark) && mark.Kind == PackedKind.Extension)
            {
                reader = behind;
                left--;
            }
        }

        return false;
    }

    internal static bool IsContainer(byte first) => first is (>= 0x80 and <= 0x9F) or (>= 0xDC and <= 0xDF);

    // The end of a value in which all that is called ordered is, and nothing else lies in marks; -1 otherwise. As deep as the
    // value, which is known to be not too deep.
    private static int CleanEnd(ReadOnlySpan<byte> bytes, int offset)
    {
        if (!IsContainer(bytes[offset]) || !PackedContainer.TryOpen(bytes[offset..], out var container))
        {
            return PackedSkip.Skip(bytes, offset);
        }

        if (!container.MarkData.IsEmpty || container.Tag != container.Flags || !IsOrder(container.Flags))
        {
            return -1;
        }

        var last = -1;
        offset += container.First;
        for (var i = 0; i < container.Count; i++)
        {
            var start = offset;
            for (var part = 0; part < container.Width; part++)
            {
                offset = CleanEnd(bytes, offset);
                if (offset < 0)
                {
                    return -1;
                }
            }

            if (container.IsOrdered && last >= 0)
            {
                var order = PackedOrder.Compare(bytes[last..], bytes[start..]);
                if (order > 0 || (order == 0 && container.IsMap))
                {
                    return -1;
                }
            }

            last = start;
        }

        return offset;
    }

    // Writes the value clean and returns its end. As deep as the value.
    private static int Clean(ReadOnlySpan<byte> bytes, int offset, GrowingBytes target, CdtScratch scratch)
    {
        if (!IsContainer(bytes[offset]) || !PackedContainer.TryOpen(bytes[offset..], out var container))
        {
            var scalarEnd = PackedSkip.Skip(bytes, offset);
            target.Append(bytes[offset..scalarEnd]);
            return scalarEnd;
        }

        var start = target.Length;
        var flags = IsOrder(container.Flags) ? container.Flags : (byte)0;
        CdtHead.Write(target, container.IsMap, container.Count, flags);
        offset += container.First;
        for (long i = (long)container.Count * container.Width; i > 0; i--)
        {
            offset = Clean(bytes, offset, target, scratch);
        }

        CdtOrder.SortWritten(target, start, scratch);
        return offset;
    }

    private static bool IsOrder(byte flags) => (flags & (CdtFlags.Ordered | CdtFlags.ValueOrdered)) != CdtFlags.ValueOrdered;
}
