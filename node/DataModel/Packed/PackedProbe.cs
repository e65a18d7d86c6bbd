namespace Aerie.DataModel.Packed;

/// A value that is looked for among many: read once, then compared with each as PackedOrder would. Integers and texts, which nearly
/// all keys are, meet their like without reading a whole element.
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
        if (reader.TryRead(out var item) && item.Kind is PackedKind.Integer or PackedKind.Text)
        {
            _kind = item.Kind;
            _bits = item.Bits;
            _raw = item.Raw;
        }
    }

    public ReadOnlySpan<byte> Value => _value;

    /// The order of the element at `offset` against the value: below zero when it comes before the value.
    public int Compare(ReadOnlySpan<byte> bytes, int offset)
    {
        var first = bytes[offset];
        if (_kind == PackedKind.Integer && (first <= 0x7F || first >= 0xE0))
        {
            return ((long)(sbyte)first).CompareTo(_bits);
        }

        if (_kind == PackedKind.Text && (first & 0xE0) == 0xA0 && (first & 0x1F) < bytes.Length - offset)
        {
            var raw = bytes.Slice(offset + 1, first & 0x1F);
            if (raw.Length > 0 && raw[0] == (byte)ParticleType.String)
            {
                return raw.SequenceCompareTo(_raw);
            }
        }

        return PackedOrder.Compare(bytes[offset..], _value);
    }
}
