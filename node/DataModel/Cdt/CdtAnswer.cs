using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// What an operation is asked to answer: the numbers of the wire.
internal static class CdtReturn
{
    public const int None = 0;
    public const int Index = 1;
    public const int ReverseIndex = 2;
    public const int Rank = 3;
    public const int ReverseRank = 4;
    public const int Count = 5;
    public const int Key = 6;
    public const int Value = 7;
    public const int KeyValue = 8;
    public const int Exists = 13;
    public const int UnorderedMap = 16;
    public const int OrderedMap = 17;

    /// The elements that are not selected.
    public const int Inverted = 0x10000;

    public static bool IsKnown(int type, bool onMap) => type switch
    {
        None or Index or ReverseIndex or Rank or ReverseRank or Count or Value or Exists => true,
        Key or KeyValue or UnorderedMap or OrderedMap => onMap,
        _ => false,
    };

    public static bool IsRank(int type) => type is Rank or ReverseRank;
}

/// Writes answers as the particles that clients read from bins.
internal static class CdtAnswer
{
    public static ResultCode Size(ref CdtJob job)
    {
        Integer(job.Outcome, job.Target.Count);
        return ResultCode.Ok;
    }

    public static void Integer(OpOutcome outcome, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(outcome.Reply.Reserve(sizeof(long)), value);
        outcome.Reply.Commit(sizeof(long));
        outcome.Answer(ParticleType.Integer);
    }

    public static void Bool(OpOutcome outcome, bool value)
    {
        outcome.Reply.Append(value ? (byte)1 : (byte)0);
        outcome.Answer(ParticleType.Bool);
    }

    /// A packed value as a bin has it. Nil is no answer at all.
    public static void Value(OpOutcome outcome, ReadOnlySpan<byte> packed)
    {
        var reply = outcome.Reply;
        if (!new PackedReader(packed).TryRead(out var item))
        {
            return;
        }

        switch (item.Kind)
        {
            case PackedKind.Integer:
                Integer(outcome, item.Bits);
                break;
            case PackedKind.False or PackedKind.True:
                Bool(outcome, item.Kind == PackedKind.True);
                break;
            case PackedKind.Double:
                BinaryPrimitives.WriteInt64BigEndian(reply.Reserve(sizeof(long)), item.Bits);
                reply.Commit(sizeof(long));
                outcome.Answer(ParticleType.Double);
                break;
            case PackedKind.List or PackedKind.Map:
                reply.Append(packed);
                outcome.Answer(item.Kind == PackedKind.Map ? ParticleType.Map : ParticleType.List);
                break;
            case PackedKind.Text or PackedKind.Bytes:
                reply.Append(item.Bytes);
                outcome.Answer(ParticleTypes.IsText((ParticleType)item.Tag) || item.Tag == (byte)ParticleType.Hll
                    ? (ParticleType)item.Tag : ParticleType.Bytes);
                break;
            case PackedKind.GeoJson:
                reply.Append([0, 0, 0]); // no flags, no cells: the header of a GeoJSON bin
                reply.Append(item.Bytes);
                outcome.Answer(ParticleType.GeoJson);
                break;
        }
    }

    /// Nothing was found where one element was asked for.
    public static void Missing(OpOutcome outcome, int type)
    {
        switch (type)
        {
            case CdtReturn.Index or CdtReturn.ReverseIndex or CdtReturn.Rank or CdtReturn.ReverseRank:
                Integer(outcome, -1);
                break;
            case CdtReturn.Count:
                Integer(outcome, 0);
                break;
            case CdtReturn.Exists:
                Bool(outcome, false);
                break;
            case CdtReturn.KeyValue or CdtReturn.UnorderedMap or CdtReturn.OrderedMap:
                BeginMap(outcome, type, 0);
                outcome.Answer(ParticleType.Map);
                break;
        }
    }

    /// One pair as a map, or as what clients show as a list of key and value.
    public static void Pair(OpOutcome outcome, int type, ReadOnlySpan<byte> keyAndValue)
    {
        BeginMap(outcome, type, 1);
        outcome.Reply.Append(keyAndValue);
        outcome.Answer(ParticleType.Map);
    }

    /// The head of a map that is answered; pairs follow.
    public static void BeginMap(OpOutcome outcome, int type, int count) => CdtHead.Write(outcome.Reply, isMap: true, count, type switch
    {
        CdtReturn.OrderedMap => CdtFlags.Ordered,
        CdtReturn.KeyValue => CdtFlags.PreserveOrder,
        _ => 0,
    });
}
