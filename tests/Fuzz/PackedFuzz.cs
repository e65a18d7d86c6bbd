using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.Fuzz;

/// Any bytes as packed values, one behind the other. All that walk over them agree on where a value ends; the order is one; and what
/// was read and written again is the same value, in a form that does not change any more.
internal static class PackedFuzz
{
    private const int ValuesMax = 4;
    private const int LengthMax = 1024 * 1024;

    private static readonly GrowingBytes Once = new(LengthMax);
    private static readonly GrowingBytes Again = new(LengthMax);

    public static void Run(ReadOnlySpan<byte> input)
    {
        Span<Range> values = stackalloc Range[ValuesMax];
        var count = 0;
        for (var offset = 0; count < ValuesMax && TryPass(input[offset..], out var length); offset += length)
        {
            values[count++] = offset..(offset + length);
        }

        foreach (var value in values[..count])
        {
            Rewrite(input[value]);
            Invariant.Holds(PackedOrder.Compare(input[value], input[value]) == 0);
            foreach (var other in values[..count])
            {
                Compare(input[value], input[other]);
                foreach (var third in values[..count])
                {
                    IsTransitive(input[value], input[other], input[third]);
                }
            }
        }
    }

    private static bool TryPass(ReadOnlySpan<byte> bytes, out int length)
    {
        var reader = new PackedReader(bytes);
        var isValue = reader.TrySkip();
        length = reader.Offset;
        var skipped = PackedSkip.Skip(bytes, 0);
        Invariant.Holds(PackedSkip.Survey(bytes, out var containers, out _) == skipped);
        Invariant.Holds(isValue ? skipped == length : skipped < 0 || PackedSkip.Depth(bytes) == PackedReader.DepthMax);
        Invariant.Holds(containers <= bytes.Length);
        return isValue;
    }

    // The other way round is the other answer, and who looks for a value among many finds it where the order says.
    private static void Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var order = Math.Sign(PackedOrder.Compare(a, b));
        Invariant.Holds(order == -Math.Sign(PackedOrder.Compare(b, a)));
        Invariant.Holds(order == Math.Sign(new PackedProbe(b).Compare(a, 0)));
        _ = PackedOrder.CompareToPattern(a, b);
    }

    private static void IsTransitive(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> c)
    {
        if (PackedOrder.Compare(a, b) <= 0 && PackedOrder.Compare(b, c) <= 0)
        {
            Invariant.Holds(PackedOrder.Compare(a, c) <= 0);
        }
    }

    private static void Rewrite(ReadOnlySpan<byte> value)
    {
        Once.Clear();
        Write(value, Once);
        var written = Once.Read(0, Once.Length);
        Invariant.Holds(PackedReader.IsOneValue(written) && written.Length <= LengthMax);
        Invariant.Holds(PackedOrder.Compare(value, written) == 0 && PackedSkip.Depth(value) == PackedSkip.Depth(written));
        Again.Clear();
        Write(written, Again);
        Invariant.Holds(Again.Read(0, Again.Length).SequenceEqual(written));
    }

    private static void Write(ReadOnlySpan<byte> value, GrowingBytes target)
    {
        var writer = new PackedWriter(target);
        var reader = new PackedReader(value);
        while (reader.TryRead(out var item))
        {
            Write(writer, item);
        }

        Invariant.Holds(reader.IsAtEnd);
    }

    private static void Write(PackedWriter writer, in PackedItem item)
    {
        switch (item.Kind)
        {
            case PackedKind.Nil: writer.Nil(); break;
            case PackedKind.False or PackedKind.True: writer.Bool(item.Kind == PackedKind.True); break;
            case PackedKind.Integer: writer.Integer(item.Bits); break;
            case PackedKind.Double: writer.Double(item.Double); break;
            case PackedKind.Text or PackedKind.Bytes or PackedKind.GeoJson: writer.Raw(item.Raw); break;
            case PackedKind.List: writer.List(item.Count); break;
            case PackedKind.Map: writer.Map(item.Count); break;
            case PackedKind.Infinity: writer.Packed(PackedWriter.InfinityBytes); break;
            case PackedKind.Wildcard: writer.Packed(PackedWriter.WildcardBytes); break;
            default:
                writer.ExtensionHead(item.Tag, item.Raw.Length);
                writer.Packed(item.Raw);
                break;
        }
    }
}
