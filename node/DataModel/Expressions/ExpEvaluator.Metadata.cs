using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// What is known of a record beside its bins.
internal ref partial struct ExpEvaluator<TRecord>
{
    /// The wire's times are nanoseconds.
    private const long NanosecondsPerMillisecond = 1_000_000;
    private const long MillisecondsPerSecond = 1_000;
    private const long Never = -1;

    private bool ReadMetadata(in ExpNode node, out ExpValue value)
    {
        switch (node.Code)
        {
            case ExpCode.DigestModulo:
                value = ExpValue.Of(DigestTail(_record.Digest) % node.Bits);
                return true;
            case ExpCode.LastUpdate:
                value = ExpValue.Of(_record.LastUpdateTime * NanosecondsPerMillisecond);
                return true;
            case ExpCode.SinceUpdate:
                value = ExpValue.Of(_record.Now - _record.LastUpdateTime);
                return true;
            case ExpCode.VoidTime:
                value = ExpValue.Of(VoidTime(_record.VoidTime));
                return true;
            case ExpCode.TimeToLive:
                value = ExpValue.Of(TimeToLive(_record.VoidTime, _record.Now));
                return true;
            case ExpCode.SetName:
                value = ExpValue.Of(ExpType.String, _record.SetName);
                return true;
            case ExpCode.IsTombstone:
                value = ExpValue.Of(_record.IsTombstone);
                return true;
            default:
                value = default;
                return !_metadataOnly && ReadStored(node, out value);
        }
    }

    /// What only the record itself tells.
    private bool ReadStored(in ExpNode node, out ExpValue value)
    {
        switch (node.Code)
        {
            case ExpCode.KeyExists:
                value = ExpValue.Of(!_record.Key.IsMissing);
                return true;
            case ExpCode.Key:
                return ExpValue.TryOf(_record.Key, out value) && value.Type == node.Type;
            case ExpCode.BinType:
                var has = _record.TryBin(_bytes.Slice(node.Offset, node.Length), out var bin);
                value = ExpValue.Of(has ? (long)bin.Type : (long)ParticleType.Null);
                return true;
            default:
                value = ExpValue.Of(_record.RecordSize);
                return true;
        }
    }

    /// The last four bytes, little-endian: spread evenly, and no part of what partitions are cut by.
    private static long DigestTail(Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        digest.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]);
    }

    private static long VoidTime(uint seconds) => seconds == CitrusTime.NeverExpires
        ? Never
        : (CitrusTime.EpochUnixMilliseconds + (seconds * MillisecondsPerSecond)) * NanosecondsPerMillisecond;

    private static long TimeToLive(uint seconds, long now) => seconds == CitrusTime.NeverExpires
        ? Never
        : Math.Max(0, (long)seconds - CitrusTime.Seconds(now));
}
