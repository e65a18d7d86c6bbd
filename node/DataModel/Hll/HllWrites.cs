using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Hll;

/// Operations that change a sketch or make one. Each change of a register forgets the cached count.
internal static class HllWrites
{
    /// Makes the sketch empty. Bits that are not said stay as they are.
    public static ResultCode Init(scoped in HllCall call, HllContext context)
    {
        var shape = ShapeOf(context);
        shape = new HllShape(
            call.IndexBits == HllCall.Unsaid ? shape.IndexBits : call.IndexBits,
            call.MinhashBits == HllCall.Unsaid ? shape.MinhashBits : call.MinhashBits);
        if (!shape.IsValid)
        {
            return ResultCode.OpNotApplicable;
        }

        HllSketch.Initialize(context.Outcome.Value.Reserve(shape.Length), shape);
        return Store(context, shape);
    }

    /// Answers how many of the values raised a register. Bits are said for a new sketch alone.
    public static ResultCode Add(scoped in HllCall call, HllContext context)
    {
        var isNew = context.Own.IsEmpty;
        var shape = isNew ? new HllShape(call.IndexBits, Math.Max(call.MinhashBits, 0)) : ShapeOf(context);
        if (!shape.IsValid)
        {
            return ResultCode.OpNotApplicable;
        }

        var target = isNew ? Fresh(context, shape) : Copy(context);
        var raised = 0;
        var values = new PackedReader(call.Values);
        for (var i = 0; i < call.ValueCount; i++)
        {
            var isValue = values.TryTake(out var value);
            Invariant.Holds(isValue);
            var (register, to) = shape.Place(value);
            raised += HllSketch.Raise(target, shape, register, to) ? 1 : 0;
        }

        if (isNew || raised > 0)
        {
            HllSketch.WriteCount(target, 0);
            Store(context, shape);
        }

        return HllReads.Answer(context, raised);
    }

    /// The bin's shape may change for it only where the client allows that; those that come in are folded in any case.
    public static ResultCode Unite(scoped in HllCall call, HllContext context)
    {
        var group = context.Group;
        var keepsShape = !context.Own.IsEmpty && group.Shape == ShapeOf(context);
        if (!keepsShape && !context.Own.IsEmpty && (call.Flags & HllFlags.AllowFold) == 0)
        {
            return ResultCode.OpNotApplicable;
        }

        var target = keepsShape ? Copy(context) : Fresh(context, group.Shape);
        if (!group.UniteInto(target, first: keepsShape ? 1 : 0) && keepsShape)
        {
            return ResultCode.Ok;
        }

        HllSketch.WriteCount(target, 0);
        return Store(context, group.Shape);
    }

    /// Answers the count and keeps it.
    public static ResultCode UpdateCount(scoped in HllCall call, HllContext context)
    {
        var count = HllReads.CountOf(context, out var isCached);
        if (!isCached && HllSketch.CanCache(count))
        {
            HllSketch.WriteCount(Copy(context), count);
            Store(context, ShapeOf(context));
        }

        return HllReads.Answer(context, count);
    }

    /// Minhashes cannot be folded: index bits would have to become part of them.
    public static ResultCode Fold(scoped in HllCall call, HllContext context)
    {
        _ = HllSketch.TryOpen(context.Own, out var sketch);
        if (sketch.Shape.MinhashBits != 0 || call.IndexBits > sketch.Shape.IndexBits)
        {
            return ResultCode.OpNotApplicable;
        }

        if (call.IndexBits == sketch.Shape.IndexBits)
        {
            return ResultCode.Ok;
        }

        var shape = new HllShape(call.IndexBits, 0);
        sketch.UniteInto(Fresh(context, shape), shape);
        return Store(context, shape);
    }

    private static HllShape ShapeOf(HllContext context) => HllSketch.TryOpen(context.Own, out var sketch) ? sketch.Shape : default;

    private static Span<byte> Fresh(HllContext context, HllShape shape)
    {
        var target = context.Outcome.Value.Reserve(shape.Length);
        HllSketch.Initialize(target, shape);
        return target;
    }

    private static Span<byte> Copy(HllContext context)
    {
        var target = context.Outcome.Value.Reserve(context.Own.Length);
        context.Own.CopyTo(target);
        return target;
    }

    private static ResultCode Store(HllContext context, HllShape shape)
    {
        context.Outcome.Value.Commit(shape.Length);
        context.Outcome.Change(ParticleType.Hll);
        return ResultCode.Ok;
    }
}
