using System.Buffers.Binary;

namespace Aerie.DataModel.Packed;

/// A value that is looked for among many: read once, then compared with each as PackedOrder would. Integers, texts and blobs, which
/// nearly all keys are, meet their like without reading a whole element.
public readonly ref struct PackedProbe
{
    private readonly ReadOnlySpan<byte> _value;
    private readonly ReadOnlySpan<byte> _raw;
    private readonly long _bits;
    private readonly PackedKind _kind;

    public PackedProbe(ReadOnlySpan<byte> value)
    {
        _value = value;
        var reader = new PackedReader(value);
        if (reader.TryRead(out var item) && item.Kind is PackedKind.Integer or PackedKind.Text or PackedKind.Bytes)
        {
            _kind = item.Kind;
            _bits = item.Bits;
            _raw = item.Raw;
        }
    }

    /// The order of the element at `offset` against the value: below zero when it comes before the value.
    public int Compare(ReadOnlySpan<byte> bytes, int offset)
    {
        var element = bytes[offset..];
        if (_kind == PackedKind.Integer)
        {
            if (TryInteger(element, out var number))
            {
                return number.CompareTo(_bits);
            }
        }
        else if (!_raw.IsEmpty && TryRaw(element, out var raw) && raw[0] == _raw[0])
        {
            return raw.SequenceCompareTo(_raw);
        }

        return PackedOrder.Compare(element, _value);
    }

    private static bool TryInteger(ReadOnlySpan<byte> element, out long number)
    {
        var first = element[0];
        number = (sbyte)first;
        if (first is <= 0x7F or >= 0xE0)
        {
            return true;
        }

        if (element.Length <= sizeof(long))
        {
            return false; // at the very end: the long way
        }

        var rest = element[1..];
        switch (first)
        {
            case 0xCC:
                number = rest[0];
                return true;
            case 0xCD:
                number = BinaryPrimitives.ReadUInt16BigEndian(rest);
                return true;
            case 0xCE:
                number = BinaryPrimitives.ReadUInt32BigEndian(rest);
                return true;
            case 0xCF or 0xD3:
                number = BinaryPrimitives.ReadInt64BigEndian(rest);
                return true;
            default:
                return false;
        }
    }

    // The payload of a text or blob in a short form, if it has one.
    private static bool TryRaw(ReadOnlySpan<byte> element, out ReadOnlySpan<byte> raw)
    {
        raw = default;
        var first = element[0];
        var (start, length) = (first & 0xE0) == 0xA0 ? (1, first & 0x1F)
            : first is (0xD9 or 0xC4) && element.Length > 1 ? (2, element[1])
            : (0, 0);
        if (length == 0 || length > element.Length - start)
        {
            return false;
        }

        raw = element.Slice(start, length);
        return true;
    }
}
