using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// The index that a large ordered list or map carries in its mark, while it is stored: where each block of some elements begins. To
/// find an element, the blocks are searched and one of them is walked. A change shifts what lies behind it; it does not walk.
///
/// Payload of the mark: version (1 byte), then little-endian numbers of four bytes: elements, bytes of all elements, and for each
/// block but the first its first position and that element's offset from the first element. Only the container that is the whole
/// bin has it. Clients never see it (CdtWire), and one that does not fit its container is as none.
internal static class CdtIndex
{
    /// With fewer elements a walk is as fast.
    public const int ElementsMin = 32;

    private const byte Version = 1;
    private const int BlockLength = 16;
    private const int BlockLengthMax = 32;
    private const int HeaderLength = 9;
    private const int EntryLength = 8;

    /// Steps of a search whose memory is waited for at once.
    private const int StepsForeseen = 3;

    /// Moves the spot to a block in which the value, or its place, lies.
    public static void Seek(in PackedContainer container, in PackedProbe probe, ref CdtSpot spot)
    {
        if (!container.IsOrdered || !TryOpen(container, out var entries))
        {
            return;
        }

        var (low, high) = (0, entries.Length / EntryLength);
        for (var step = 0; low < high; step++)
        {
            if (step % StepsForeseen == 0 && !TryForesee(container, entries, low, high))
            {
                return;
            }

            var middle = (low + high) >>> 1;
            var (_, offset) = Entry(entries, middle);
            if ((uint)offset >= (uint)(container.Bytes.Length - container.First))
            {
                return;
            }

            if (probe.Compare(container.Bytes, container.First + offset) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        if (TryForeseeWalk(container, entries, low))
        {
            MoveTo(container, entries, low - 1, ref spot);
        }
    }

    /// Moves the spot to the block in which the position lies.
    public static void Seek(in PackedContainer container, int position, ref CdtSpot spot)
    {
        if (position < BlockLength || !TryOpen(container, out var entries))
        {
            return;
        }

        var (low, high) = (0, entries.Length / EntryLength);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (Entry(entries, middle).Position <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        MoveTo(container, entries, low - 1, ref spot);
        if (spot.Position > position)
        {
            spot = new CdtSpot { Start = container.First };
        }
    }

    /// Writes the head of what `container` becomes when `length` bytes take the place of those between two offsets, with its index
    /// brought forward. False: there is no index, or blocks have grown together; nothing is written.
    public static bool TryWriteHead(
        GrowingBytes output, in PackedContainer container, int count, int from, int to, int length, CdtScratch scratch)
    {
        if (count < ElementsMin || !TryOpen(container, out var entries))
        {
            return false;
        }

        var blocks = scratch.Blocks.Take(2 * (entries.Length / EntryLength + 2));
        var change = new Change(from - container.First, to - container.First, length - (to - from), count - container.Count);
        var used = Shift(container, entries, change, count, blocks);
        if (used < 0)
        {
            return false;
        }

        WriteHead(output, container.IsMap, container.Flags, count, container.Bytes.Length - container.First + change.Bytes, blocks[..used]);
        return true;
    }

    /// Gives the container that was written from `start` on an index, if it is one that should have it.
    public static void Attach(GrowingBytes output, int start, CdtScratch scratch)
    {
        if (output.Overflowed || !PackedContainer.TryOpen(output.Read(start, output.Length - start), out var container)
            || !container.IsOrdered || container.Count < ElementsMin || !container.MarkData.IsEmpty)
        {
            return;
        }

        var blocks = scratch.Blocks.Take(2 * (container.Count / BlockLength + 1));
        var used = Build(container, blocks);
        if (used < 0)
        {
            return;
        }

        var content = container.Bytes.Length - container.First;
        var head = scratch.OtherWork;
        head.Clear();
        WriteHead(head, container.IsMap, container.Flags, container.Count, content, blocks[..used]);
        output.Replace(start, container.First, head.Read(0, head.Length));
    }

    private readonly record struct Change(int From, int To, int Bytes, int Count);

    private static bool TryOpen(in PackedContainer container, out ReadOnlySpan<byte> entries)
    {
        var data = container.MarkData;
        entries = default;
        if (data.Length < HeaderLength || data[0] != Version || (data.Length - HeaderLength) % EntryLength != 0
            || BinaryPrimitives.ReadInt32LittleEndian(data[1..]) != container.Count
            || BinaryPrimitives.ReadInt32LittleEndian(data[5..]) != container.Bytes.Length - container.First)
        {
            return false;
        }

        entries = data[HeaderLength..];
        return true;
    }

    // A large container is not in the processor's cache, and each step of a search would wait for its own piece of it. Looking at what
    // any of the next steps may need, before it is known which, has all of it loaded together. False: a block begins nowhere.
    private static bool TryForesee(in PackedContainer container, ReadOnlySpan<byte> entries, int low, int high)
    {
        if (high - low < 2)
        {
            return true;
        }

        var elements = container.Bytes[container.First..];
        var middle = (low + high) >>> 1;
        var (lower, upper) = ((low + middle) >>> 1, (middle + 1 + high) >>> 1);
        ReadOnlySpan<int> steps =
        [
            middle, lower, upper, (low + lower) >>> 1, (lower + 1 + middle) >>> 1, (middle + 1 + upper) >>> 1, (upper + 1 + high) >>> 1,
        ];
        var seen = 0;
        foreach (var step in steps)
        {
            var offset = step < high ? Entry(entries, step).Offset : 0;
            seen |= (uint)offset < (uint)elements.Length ? elements[offset] : -1;
        }

        return seen >= 0;
    }

    // The same for the block in front of `next`, which is walked from its first element on. False: it lies nowhere.
    private static bool TryForeseeWalk(in PackedContainer container, ReadOnlySpan<byte> entries, int next)
    {
        const int Line = 64;
        const int LinesMax = 8;
        var elements = container.Bytes[container.First..];
        var start = next > 0 ? Entry(entries, next - 1).Offset : 0;
        var end = next < entries.Length / EntryLength ? Entry(entries, next).Offset : elements.Length;
        if ((uint)start >= (uint)elements.Length || (uint)end > (uint)elements.Length)
        {
            return false;
        }

        var seen = 0;
        for (var at = start + Line; at < Math.Min(end, start + (LinesMax * Line)); at += Line)
        {
            seen |= elements[at];
        }

        return seen >= 0;
    }

    private static (int Position, int Offset) Entry(ReadOnlySpan<byte> entries, int index)
    {
        var entry = entries.Slice(index * EntryLength, EntryLength);
        return (BinaryPrimitives.ReadInt32LittleEndian(entry), BinaryPrimitives.ReadInt32LittleEndian(entry[4..]));
    }

    private static void MoveTo(in PackedContainer container, ReadOnlySpan<byte> entries, int index, ref CdtSpot spot)
    {
        if (index >= 0)
        {
            var (position, offset) = Entry(entries, index);
            if ((uint)position < (uint)container.Count && (uint)offset < (uint)(container.Bytes.Length - container.First))
            {
                spot.Position = position;
                spot.Start = container.First + offset;
            }
        }
    }

    // The blocks after a change, as pairs of position and offset. Returns how many numbers that are; -1 when one is too long.
    private static int Shift(in PackedContainer container, ReadOnlySpan<byte> entries, in Change change, int count, Span<int> blocks)
    {
        var used = 0;
        var (lastPosition, lastOffset) = (0, 0);
        for (var i = 0; i <= entries.Length / EntryLength; i++)
        {
            var isEnd = i == entries.Length / EntryLength;
            var (position, offset) = isEnd ? (container.Count, int.MaxValue) : Entry(entries, i);
            if (offset > change.From && offset < change.To)
            {
                continue;
            }

            if (offset > change.From)
            {
                position += change.Count;
                offset += isEnd ? 0 : change.Bytes;
                if (change.Count == 1 && lastOffset <= change.From && position - lastPosition > BlockLengthMax)
                {
                    used = Split(container, change, lastPosition, lastOffset, blocks, used);
                    lastPosition += BlockLength;
                }
            }

            if (position - lastPosition > BlockLengthMax)
            {
                return -1;
            }

            if (!isEnd && position > lastPosition && position < count)
            {
                (blocks[used], blocks[used + 1]) = (position, offset);
                used += 2;
                (lastPosition, lastOffset) = (position, offset);
            }
        }

        return used;
    }

    // The block has become too long by the one element that is put into it: it ends half-way, and another begins there.
    private static int Split(in PackedContainer container, in Change change, int position, int offset, Span<int> blocks, int used)
    {
        var at = offset;
        var isBehind = false;
        for (var i = 0; i < BlockLength; i++)
        {
            if (at == change.From && !isBehind)
            {
                isBehind = true; // this is the new element
                continue;
            }

            at = PackedSkip.Skip(container.Bytes, container.First + at, container.Width) - container.First;
            if (at < 0)
            {
                return used;
            }
        }

        (blocks[used], blocks[used + 1]) = (position + BlockLength, isBehind ? at + change.Bytes : at);
        return used + 2;
    }

    private static int Build(in PackedContainer container, Span<int> blocks)
    {
        var offset = container.First;
        var used = 0;
        for (var position = BlockLength; position < container.Count; position += BlockLength)
        {
            offset = PackedSkip.Skip(container.Bytes, offset, (long)BlockLength * container.Width);
            if (offset < 0)
            {
                return -1;
            }

            (blocks[used], blocks[used + 1]) = (position, offset - container.First);
            used += 2;
        }

        return used;
    }

    private static void WriteHead(GrowingBytes output, bool isMap, byte flags, int count, int content, ReadOnlySpan<int> blocks)
    {
        var writer = new PackedWriter(output);
        if (isMap)
        {
            writer.Map(count + 1);
        }
        else
        {
            writer.List(count + 1);
        }

        var length = HeaderLength + blocks.Length * sizeof(int);
        writer.ExtensionHead(flags, length);
        var payload = output.Reserve(length);
        payload[0] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(payload[1..], count);
        BinaryPrimitives.WriteInt32LittleEndian(payload[5..], content);
        for (var i = 0; i < blocks.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(payload[(HeaderLength + i * sizeof(int))..], blocks[i]);
        }

        output.Commit(length);
        if (isMap)
        {
            writer.Nil();
        }
    }
}
