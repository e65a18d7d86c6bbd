using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.Storage;

/// Builds an image in place: header, then exactly the announced number of bins, then Finish. The target is the span that
/// RecordLog handed out; it must be large enough for the measured length rounded up to units, and may be larger.
/// The first eight bytes, which make it an image, are written last.
public ref struct RecordImageWriter
{
    private readonly Span<byte> _target;
    private readonly RecordFlags _flags;
    private int _filled;
    private int _binsMissing;

    public RecordImageWriter(Span<byte> target, in RecordImageHeader header, int binCount)
    {
        Invariant.Holds((uint)binCount <= Varint.ValueMax && header.LastUpdateTime >> (8 * RecordImage.LastUpdateTimeLength) == 0);
        _target = target;
        _flags = header.IsTombstone ? RecordFlags.Tombstone : RecordFlags.None;
        _filled = RecordImage.OptionalOffset;
        _binsMissing = binCount;
        header.Digest.CopyTo(target[RecordImage.DigestOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[RecordImage.LastUpdateTimeOffset..], (uint)header.LastUpdateTime);
        target[RecordImage.LastUpdateTimeOffset + sizeof(uint)] = (byte)(header.LastUpdateTime >> 32);
        BinaryPrimitives.WriteUInt16LittleEndian(target[RecordImage.GenerationOffset..], header.Generation);
        if (header.VoidTime != CitrusTime.NeverExpires)
        {
            _flags |= RecordFlags.HasVoidTime;
            BinaryPrimitives.WriteUInt32LittleEndian(target[_filled..], header.VoidTime);
            _filled += sizeof(uint);
        }

        if (header.SetId != 0)
        {
            _flags |= RecordFlags.HasSet;
            BinaryPrimitives.WriteUInt16LittleEndian(target[_filled..], header.SetId);
            _filled += sizeof(ushort);
        }

        if (header.KeyType != 0)
        {
            _flags |= RecordFlags.HasKey;
            target[_filled++] = header.KeyType;
            _filled += Varint.Write(target[_filled..], header.Key.Length);
            header.Key.CopyTo(target[_filled..]);
            _filled += header.Key.Length;
        }

        _filled += Varint.Write(target[_filled..], binCount);
    }

    public void AddBin(ReadOnlySpan<byte> name, byte particleType, ReadOnlySpan<byte> value) =>
        value.CopyTo(ReserveBin(name, particleType, value.Length));

    /// The value's bytes, to be filled by the caller before Finish.
    public Span<byte> ReserveBin(ReadOnlySpan<byte> name, byte particleType, int valueLength)
    {
        Invariant.Holds(_binsMissing-- > 0);
        _filled += BinList.Write(_target[_filled..], name, particleType, valueLength, out var value);
        return value;
    }

    /// Pads, measures and signs the image, without a seed: RecordImage.Reseed adds the one of its block.
    /// Returns its size in units: what RecordLog.Commit wants to know.
    public int Finish()
    {
        Invariant.Holds(_binsMissing == 0);
        var units = StorageUnit.CountFor(_filled);
        var image = _target[..(units * StorageUnit.Length)];
        image[_filled..].Clear();
        var sizeAndFlags = (uint)units | ((uint)_flags << RecordImage.FlagsShift);
        BinaryPrimitives.WriteUInt32LittleEndian(image[RecordImage.SizeAndFlagsOffset..], sizeAndFlags);
        RecordImage.Sign(image);
        return units;
    }
}
