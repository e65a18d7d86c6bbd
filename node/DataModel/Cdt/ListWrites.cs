using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Cdt;

/// Flags of operations that write to lists, in the numbers of the wire.
internal static class ListWriteFlags
{
    public const int AddUnique = 1;
    public const int InsertBounded = 2;
    public const int NoFail = 4;
    public const int Partial = 8;
    public const int All = AddUnique | InsertBounded | NoFail | Partial;
}

/// Operations that write elements of lists.
internal static class ListWrites
{
    /// A list that would have to be filled with more nils than this is larger than any record.
    internal const int PadMax = 8 * 1024 * 1024;

    private const int PadPiece = 1024;
    private const int SortDescending = 1;
    private const int SortDropDuplicates = 2;

    private static readonly byte[] One = [0x01];

    public static ResultCode SetType(ref CdtJob job)
    {
        var flags = job.Arguments.Integer(0, 0);
        if ((flags & ~(long)CdtFlags.ListMask) != 0)
        {
            return ResultCode.Parameter;
        }

        return flags == job.Target.Flags && !job.IsNew ? ResultCode.Ok : CdtOrder.Rewrite(ref job, (byte)flags);
    }

    public static ResultCode Append(ref CdtJob job)
    {
        if (!TryCreate(ref job, 1) || !TryFlags(job, 2, out var flags))
        {
            return ResultCode.Parameter;
        }

        var target = job.Target;
        var value = job.Arguments[0];
        CdtSpot spot = default;
        var isRead = target.IsOrdered ? CdtSearch.TryFindPlace(target, value, out spot)
            : (flags & ListWriteFlags.AddUnique) == 0 || CdtSearch.TryFindEqual(target, value, out spot);
        if (!isRead)
        {
            return CdtCommand.Broken;
        }

        if (spot.IsFound && (flags & ListWriteFlags.AddUnique) != 0)
        {
            return Refuse(ref job, flags, ResultCode.ElementExists);
        }

        var at = target.IsOrdered ? spot.Start : target.Bytes.Length;
        job.Splice(target.Count + 1, at, at, value);
        CdtAnswer.Integer(job.Outcome, target.Count + 1);
        return ResultCode.Ok;
    }

    public static ResultCode AppendItems(ref CdtJob job) =>
        TryCreate(ref job, 1) && TryFlags(job, 2, out var flags) ? ListItems.Add(ref job, job.Arguments[0], job.Target.Count, flags)
        : ResultCode.Parameter;

    public static ResultCode Insert(ref CdtJob job)
    {
        if (!TryFlags(job, 2, out var flags))
        {
            return ResultCode.Parameter;
        }

        var result = Place(job, job.Arguments.Integer(0, 0), flags, out var index);
        if (result != ResultCode.Ok)
        {
            return Refuse(ref job, flags, result);
        }

        var value = job.Arguments[1];
        if ((flags & ListWriteFlags.AddUnique) != 0)
        {
            if (!CdtSearch.TryFindEqual(job.Target, value, out var equal))
            {
                return CdtCommand.Broken;
            }

            if (equal.IsFound)
            {
                return Refuse(ref job, flags, ResultCode.ElementExists);
            }
        }

        if (!TryPut(ref job, index, value, replaces: false))
        {
            return CdtCommand.Broken;
        }

        CdtAnswer.Integer(job.Outcome, Math.Max(index, job.Target.Count) + 1);
        return ResultCode.Ok;
    }

    public static ResultCode InsertItems(ref CdtJob job)
    {
        if (!TryFlags(job, 2, out var flags))
        {
            return ResultCode.Parameter;
        }

        var result = Place(job, job.Arguments.Integer(0, 0), flags, out var index);
        return result == ResultCode.Ok ? ListItems.Add(ref job, job.Arguments[1], index, flags) : Refuse(ref job, flags, result);
    }

    public static ResultCode Set(ref CdtJob job)
    {
        if (!TryFlags(job, 2, out var flags))
        {
            return ResultCode.Parameter;
        }

        var result = Place(job, job.Arguments.Integer(0, 0), flags, out var index);
        if (result != ResultCode.Ok)
        {
            return Forgive(flags, result);
        }

        var value = job.Arguments[1];
        if ((flags & ListWriteFlags.AddUnique) != 0)
        {
            if (!CdtElements.TryRead(job.Target, job.Scratch.Offsets, out var elements))
            {
                return CdtCommand.Broken;
            }

            if (HasOther(elements, value, index))
            {
                return Forgive(flags, ResultCode.ElementExists);
            }
        }

        return TryPut(ref job, index, value, replaces: true) ? ResultCode.Ok : CdtCommand.Broken;
    }

    public static ResultCode Clear(ref CdtJob job)
    {
        if (job.Target.Count > 0)
        {
            job.Begin(0);
        }

        return ResultCode.Ok;
    }

    /// Adds to a number. Behind the last element, the number itself is put.
    public static ResultCode Increment(ref CdtJob job)
    {
        if (!TryCreate(ref job, 2) || !TryFlags(job, 3, out var flags))
        {
            return ResultCode.Parameter;
        }

        var target = job.Target;
        var index = job.Arguments.Integer(0, 0);
        index += index < 0 ? target.Count : 0;
        if (index < 0 || (index > target.Count && (flags & ListWriteFlags.InsertBounded) != 0))
        {
            return ResultCode.OpNotApplicable;
        }

        if (!CdtElements.TryRead(target, job.Scratch.Offsets, out var elements))
        {
            return CdtCommand.Broken;
        }

        Span<byte> sum = stackalloc byte[CdtNumber.LengthMax];
        var old = index < target.Count ? elements.Value((int)index) : default;
        var length = CdtNumber.Add(old, job.Arguments.Count > 1 ? job.Arguments[1] : One, negative: false, sum);
        if (length == 0)
        {
            return ResultCode.Parameter;
        }

        CdtAnswer.Value(job.Outcome, sum[..length]);
        if ((flags & ListWriteFlags.AddUnique) != 0 && HasOther(elements, sum[..length], index))
        {
            return Forgive(flags, ResultCode.ElementExists); // the answer is the number that it would be
        }

        return target.IsOrdered ? Move(ref job, elements, index, sum[..length])
            : index > target.Count + (long)PadMax ? ResultCode.RecordTooBig
            : TryPut(ref job, (int)index, sum[..length], replaces: true) ? ResultCode.Ok : CdtCommand.Broken;
    }

    public static ResultCode Sort(ref CdtJob job)
    {
        var flags = job.Arguments.Integer(0, 0);
        if ((flags & ~(long)(SortDescending | SortDropDuplicates)) != 0)
        {
            return ResultCode.Parameter;
        }

        if (!CdtElements.TryRead(job.Target, job.Scratch.Offsets, out var elements))
        {
            return CdtCommand.Broken;
        }

        var order = job.Scratch.Picks.Take(elements.Count);
        elements.ByRank(job.Scratch).CopyTo(order);
        if ((flags & SortDropDuplicates) != 0)
        {
            order = DropDuplicates(elements, order);
        }

        if ((flags & SortDescending) != 0 && !job.Target.IsOrdered)
        {
            order.Reverse();
        }

        CdtOrder.Write(ref job, elements, order, job.Target.Flags);
        return ResultCode.Ok;
    }

    /// What a refused write answers when it may not fail: the size as it is.
    internal static ResultCode Refuse(ref CdtJob job, int flags, ResultCode result)
    {
        if ((flags & ListWriteFlags.NoFail) == 0 || !CanForgive(result))
        {
            return result;
        }

        CdtAnswer.Integer(job.Outcome, job.Target.Count);
        return ResultCode.Ok;
    }

    private static ResultCode Forgive(int flags, ResultCode result) =>
        (flags & ListWriteFlags.NoFail) != 0 && CanForgive(result) ? ResultCode.Ok : result;

    private static bool CanForgive(ResultCode result) => result is ResultCode.ElementExists or ResultCode.OpNotApplicable;

    // A list that does not exist yet has the order that the operation names.
    private static bool TryCreate(ref CdtJob job, int argument)
    {
        var order = job.Arguments.Integer(argument, 0);
        if ((order & ~(long)CdtFlags.ListMask) != 0)
        {
            return false;
        }

        if (job.IsNew)
        {
            job.Target = PackedContainer.Empty(isMap: false, (byte)order);
        }

        return true;
    }

    private static bool TryFlags(in CdtJob job, int argument, out int flags)
    {
        var asked = job.Arguments.Integer(argument, 0);
        flags = (int)asked;
        return (asked & ~(long)ListWriteFlags.All) == 0;
    }

    // Where a list without order takes an element: behind its end too, unless it is bounded.
    private static ResultCode Place(in CdtJob job, long asked, int flags, out int index)
    {
        var count = job.Target.Count;
        index = 0;
        asked += asked < 0 ? count : 0;
        if (job.Target.IsOrdered || asked < 0 || (asked > count && (flags & ListWriteFlags.InsertBounded) != 0))
        {
            return ResultCode.OpNotApplicable;
        }

        if (asked - count > PadMax)
        {
            return ResultCode.RecordTooBig;
        }

        index = (int)asked;
        return ResultCode.Ok;
    }

    private static bool TryPut(ref CdtJob job, int index, scoped ReadOnlySpan<byte> value, bool replaces)
    {
        var target = job.Target;
        if (index < target.Count)
        {
            if (!CdtSearch.TryFindPosition(target, index, out var spot))
            {
                return false;
            }

            job.Splice(replaces ? target.Count : target.Count + 1, spot.Start, replaces ? spot.End : spot.Start, value);
            return true;
        }

        job.Begin(index + 1);
        job.Output.Append(target.Bytes[target.First..]);
        Pad(job.Output, index - target.Count);
        job.Output.Append(value);
        return true;
    }

    /// Nils between the last element and one that is put behind it: in pieces, so that too many of them take no memory.
    internal static void Pad(GrowingBytes output, int nils)
    {
        while (nils > 0 && !output.Overflowed)
        {
            var piece = Math.Min(nils, PadPiece);
            output.Reserve(piece)[..piece].Fill(0xC0);
            output.Commit(piece);
            nils -= piece;
        }
    }

    private static bool HasOther(scoped CdtElements elements, scoped ReadOnlySpan<byte> value, long index)
    {
        for (var i = 0; i < elements.Count; i++)
        {
            if (i != index && PackedOrder.Compare(elements.Value(i), value) == 0)
            {
                return true;
            }
        }

        return false;
    }

    // An element of an ordered list that has changed takes the place that it now belongs to.
    private static ResultCode Move(ref CdtJob job, scoped CdtElements elements, long index, scoped ReadOnlySpan<byte> value)
    {
        var count = elements.Count;
        var old = (int)Math.Min(index, count);
        job.Begin(old < count ? count : count + 1);
        CdtOrder.AppendMoved(job.Output, elements, old, value);
        return ResultCode.Ok;
    }

    private static Span<int> DropDuplicates(scoped CdtElements elements, Span<int> order)
    {
        var kept = 0;
        for (var i = 0; i < order.Length; i++)
        {
            if (kept == 0 || PackedOrder.Compare(elements.Value(order[kept - 1]), elements.Value(order[i])) != 0)
            {
                order[kept++] = order[i];
            }
        }

        return order[..kept];
    }
}
