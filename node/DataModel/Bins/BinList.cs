using Aerie.Foundation;

namespace Aerie.DataModel.Bins;

/// The bins of a record as an image stores them, one after the other:
/// name length u8 · name · particle type u8 · value length varint · value.
/// Integers and doubles keep their eight wire bytes (big-endian), so that a reply copies them as they are.
public static class BinList
{
    public const int NameLengthMax = byte.MaxValue;

    /// Bytes that one bin takes.
    public static int Measure(int nameLength, int valueLength) => 1 + nameLength + 1 + Varint.Length(valueLength) + valueLength;

    /// Writes everything of the bin but its value; the value's bytes come back in `value` to be filled. Returns the
    /// bytes that the bin takes.
    public static int Write(Span<byte> target, ReadOnlySpan<byte> name, byte particleType, int valueLength, out Span<byte> value)
    {
        Invariant.Holds(name.Length <= NameLengthMax && (uint)valueLength <= Varint.ValueMax);
        target[0] = (byte)name.Length;
        name.CopyTo(target[1..]);
        var at = 1 + name.Length;
        target[at++] = particleType;
        at += Varint.Write(target[at..], valueLength);
        value = target.Slice(at, valueLength);
        return at + valueLength;
    }
}

/// Walks the bins of an image. Ends early at bytes that are no bin: IsComplete tells the difference. Never reads outside
/// the image and takes no more steps than the image has bytes, whatever the count says.
public ref struct BinEnumerator(ReadOnlySpan<byte> image, int offset, int count)
{
    private readonly ReadOnlySpan<byte> _image = image;
    private BinPlace _place;

    /// The byte behind the last bin read.
    public int Offset { get; private set; } = offset;

    /// Bins still to come, as far as the count is to be believed.
    public int Remaining { get; private set; } = count;

    public readonly bool IsComplete => Remaining == 0;

    public readonly StoredBin Current => new(_image, _place);

    public readonly BinEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        if (Remaining == 0 || (uint)Offset >= (uint)_image.Length)
        {
            return false;
        }

        var nameLength = _image[Offset];
        var at = Offset + 1 + nameLength;
        if (at >= _image.Length)
        {
            return false;
        }

        var particleType = _image[at++];
        if (!Varint.TryRead(_image, ref at, out var valueLength) || valueLength > _image.Length - at)
        {
            return false;
        }

        _place = new BinPlace(Offset + 1, nameLength, particleType, at, valueLength);
        Offset = at + valueLength;
        Remaining--;
        return true;
    }
}
