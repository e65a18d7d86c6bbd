using System.Buffers.Binary;
using Aerie.Foundation;

namespace Aerie.Storage;

/// Says on a device that a record was removed: older images of the digest that still lie there must not come back at a
/// restart. Not in the index. It is needed as long as a block whose sequence is not above `Since` is on a device.
///
///      0  u32, u32  checksum, size and flags as in every image; the flag is Removal alone
///      8  20 bytes  digest
///     28  5 bytes   last-update time of the removal
///     33  u16       0
///     35  u64       since: block sequence
///     43  zeros up to 48
public readonly record struct RemovalMark(Digest Digest, ulong LastUpdateTime, ulong Since)
{
    public const int Units = 3;

    public const int Length = Units * StorageUnit.Length;

    private const int SinceOffset = RecordImage.OptionalOffset;

    private const int EndOffset = SinceOffset + sizeof(ulong);

    private const ulong LastUpdateTimeMask = (1UL << (8 * RecordImage.LastUpdateTimeLength)) - 1;

    private const uint SizeAndFlags = Units | ((uint)RecordFlags.Removal << RecordImage.FlagsShift);

    /// Without a seed, as RecordImageWriter does it. Returns the units it takes.
    public static int Write(Span<byte> target, in Digest digest, ulong lastUpdateTime, ulong since)
    {
        Invariant.Holds(lastUpdateTime <= LastUpdateTimeMask);
        var image = target[..Length];
        image.Clear();
        digest.CopyTo(image[RecordImage.DigestOffset..]);
        BinaryPrimitives.WriteUInt64LittleEndian(image[RecordImage.LastUpdateTimeOffset..], lastUpdateTime);
        BinaryPrimitives.WriteUInt64LittleEndian(image[SinceOffset..], since);
        BinaryPrimitives.WriteUInt32LittleEndian(image[RecordImage.SizeAndFlagsOffset..], SizeAndFlags);
        RecordImage.Sign(image);
        return Units;
    }

    /// The span must be exactly the image. Does not look at the checksum: Verify does.
    public static bool TryRead(ReadOnlySpan<byte> image, out RemovalMark mark)
    {
        mark = default;
        if (image.Length != Length || RecordImage.SizeAndFlags(image) != SizeAndFlags
            || BinaryPrimitives.ReadUInt16LittleEndian(image[RecordImage.GenerationOffset..]) != 0
            || image[EndOffset..].ContainsAnyExcept((byte)0))
        {
            return false;
        }

        mark = new RemovalMark(
            new Digest(image.Slice(RecordImage.DigestOffset, Digest.Length)),
            BinaryPrimitives.ReadUInt64LittleEndian(image[RecordImage.LastUpdateTimeOffset..]) & LastUpdateTimeMask,
            BinaryPrimitives.ReadUInt64LittleEndian(image[SinceOffset..]));
        return true;
    }

    public static bool Verify(ReadOnlySpan<byte> image, uint seed = 0) => TryRead(image, out _) && RecordImage.IsSigned(image, seed);
}
