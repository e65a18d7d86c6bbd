namespace Aerie.DataModel.Bins;

/// Where one bin lies inside a record image. Offsets count from the first byte of the image, so they survive a move of
/// the image and can be kept while its bytes are looked up again.
public readonly record struct BinPlace(int NameOffset, int NameLength, byte ParticleType, int ValueOffset, int ValueLength)
{
    public ReadOnlySpan<byte> Name(ReadOnlySpan<byte> image) => image.Slice(NameOffset, NameLength);

    public ReadOnlySpan<byte> Value(ReadOnlySpan<byte> image) => image.Slice(ValueOffset, ValueLength);
}

/// One bin of an image that is being read.
public readonly ref struct StoredBin(ReadOnlySpan<byte> image, BinPlace place)
{
    private readonly ReadOnlySpan<byte> _image = image;

    public BinPlace Place { get; } = place;

    public byte ParticleType => Place.ParticleType;

    public ReadOnlySpan<byte> Name => Place.Name(_image);

    public ReadOnlySpan<byte> Value => Place.Value(_image);
}
