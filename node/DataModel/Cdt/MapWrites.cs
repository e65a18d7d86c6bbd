using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Flags of operations that write to maps, in the numbers of the wire.
internal static class MapWriteFlags
{
    public const int CreateOnly = 1;
    public const int UpdateOnly = 2;
    public const int NoFail = 4;
    public const int Partial = 8;
    public const int All = CreateOnly | UpdateOnly | NoFail | Partial;
}

/// Operations that write pairs of maps.
internal static class MapWrites
{
    private static readonly byte[] One = [0x01];

    public static ResultCode SetType(ref CdtJob job)
    {
        var flags = job.Arguments.Integer(0, 0);
        if (!IsOrder(flags))
        {
            return ResultCode.Parameter;
        }

        return flags == job.Target.Flags && !job.IsNew ? ResultCode.Ok : CdtOrder.Rewrite(ref job, (byte)flags);
    }

    public static ResultCode Add(ref CdtJob job) => PutOne(ref job, 2, MapWriteFlags.CreateOnly);

    public static ResultCode Put(ref CdtJob job) =>
        TryFlags(job, 3, out var flags) ? PutOne(ref job, 2, flags) : ResultCode.Parameter;

    public static ResultCode Replace(ref CdtJob job) => PutOne(ref job, CdtArguments.Max, MapWriteFlags.UpdateOnly);

    public static ResultCode AddItems(ref CdtJob job) => Many(ref job, 1, MapWriteFlags.CreateOnly);

    public static ResultCode PutItems(ref CdtJob job) =>
        TryFlags(job, 2, out var flags) ? Many(ref job, 1, flags) : ResultCode.Parameter;

    public static ResultCode ReplaceItems(ref CdtJob job) => Many(ref job, CdtArguments.Max, MapWriteFlags.UpdateOnly);

    public static ResultCode Increment(ref CdtJob job) => Change(ref job, negative: false);

    public static ResultCode Decrement(ref CdtJob job) => Change(ref job, negative: true);

    public static ResultCode Clear(ref CdtJob job)
    {
        if (job.Target.Count > 0)
        {
            job.Begin(0);
        }

        return ResultCode.Ok;
    }

    /// Nil cannot be a key, nor what only stands for values.
    internal static bool IsKey(ReadOnlySpan<byte> key) => new PackedReader(key).TryRead(out var item)
        && item.Kind is not (PackedKind.Nil or PackedKind.Extension or PackedKind.Wildcard or PackedKind.Infinity);

    /// What a refused write answers when it may not fail: the size as it is.
    internal static ResultCode Refuse(ref CdtJob job, int flags, ResultCode result)
    {
        if ((flags & MapWriteFlags.NoFail) == 0)
        {
            return result;
        }

        CdtAnswer.Integer(job.Outcome, job.Target.Count);
        return ResultCode.Ok;
    }

    /// Whether the flags forbid to write to a key that is there, or is not.
    internal static ResultCode Check(bool isFound, int flags) =>
        isFound && (flags & MapWriteFlags.CreateOnly) != 0 ? ResultCode.ElementExists
        : !isFound && (flags & MapWriteFlags.UpdateOnly) != 0 ? ResultCode.ElementNotFound
        : ResultCode.Ok;

    private static ResultCode PutOne(ref CdtJob job, int orderArgument, int flags)
    {
        var key = job.Arguments[0];
        if (!TryCreate(ref job, orderArgument) || !IsKey(key))
        {
            return ResultCode.Parameter;
        }

        var target = job.Target;
        if (!CdtSearch.TryFindKey(target, key, out var spot))
        {
            return CdtCommand.Broken;
        }

        var result = Check(spot.IsFound, flags);
        if (result != ResultCode.Ok)
        {
            return Refuse(ref job, flags, result);
        }

        PutAt(ref job, spot, key, job.Arguments[1]);
        CdtAnswer.Integer(job.Outcome, spot.IsFound ? target.Count : target.Count + 1);
        return ResultCode.Ok;
    }

    private static ResultCode Many(ref CdtJob job, int orderArgument, int flags) =>
        TryCreate(ref job, orderArgument) ? MapItems.Put(ref job, job.Arguments[0], flags) : ResultCode.Parameter;

    private static ResultCode Change(ref CdtJob job, bool negative)
    {
        var key = job.Arguments[0];
        if (!TryCreate(ref job, 2) || !IsKey(key))
        {
            return ResultCode.Parameter;
        }

        if (!CdtSearch.TryFindKey(job.Target, key, out var spot))
        {
            return CdtCommand.Broken;
        }

        Span<byte> sum = stackalloc byte[CdtNumber.LengthMax];
        var delta = job.Arguments.Count > 1 ? job.Arguments[1] : One;
        var length = CdtNumber.Add(job.Target.Bytes[spot.ValueStart..spot.End], delta, negative, sum);
        if (length == 0)
        {
            return ResultCode.Parameter;
        }

        PutAt(ref job, spot, key, sum[..length]);
        CdtAnswer.Value(job.Outcome, sum[..length]);
        return ResultCode.Ok;
    }

    private static void PutAt(ref CdtJob job, in CdtSpot spot, scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> value)
    {
        var target = job.Target;
        if (spot.IsFound)
        {
            job.Splice(target.Count, spot.ValueStart, spot.End, value);
        }
        else
        {
            job.Splice(target.Count + 1, spot.Start, spot.Start, key, value);
        }
    }

    // A map that does not exist yet has the order that the operation names.
    private static bool TryCreate(ref CdtJob job, int argument)
    {
        var order = job.Arguments.Integer(argument, 0);
        if (!IsOrder(order))
        {
            return false;
        }

        if (job.IsNew)
        {
            job.Target = PackedContainer.Empty(isMap: true, (byte)order);
        }

        return true;
    }

    private static bool IsOrder(long flags) =>
        (flags & ~(long)CdtFlags.MapMask) == 0 && (flags & (CdtFlags.Ordered | CdtFlags.ValueOrdered)) != CdtFlags.ValueOrdered;

    private static bool TryFlags(in CdtJob job, int argument, out int flags)
    {
        const int both = MapWriteFlags.CreateOnly | MapWriteFlags.UpdateOnly;
        var asked = job.Arguments.Integer(argument, 0);
        flags = (int)asked;
        return (asked & ~(long)MapWriteFlags.All) == 0 && (flags & both) != both;
    }
}
