using System.Buffers.Binary;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Hll;

/// Operations that answer something about a sketch, or about it and others that the call brings. Sketches of different shapes
/// are folded to what they have in common.
internal static class HllReads
{
    public static ResultCode Count(scoped in HllCall call, HllContext context) => Answer(context, CountOf(context, out _));

    public static ResultCode Union(scoped in HllCall call, HllContext context)
    {
        var group = context.Group;
        var target = context.Outcome.Reply.Reserve(group.Shape.Length);
        HllSketch.Initialize(target, group.Shape);
        group.UniteInto(target, first: 0);
        context.Outcome.Reply.Commit(group.Shape.Length);
        context.Outcome.Answer(ParticleType.Hll);
        return ResultCode.Ok;
    }

    public static ResultCode UnionCount(scoped in HllCall call, HllContext context) => Answer(context, context.Group.UnionCount());

    public static ResultCode IntersectCount(scoped in HllCall call, HllContext context)
    {
        var result = CanIntersect(context);
        return result == ResultCode.Ok ? Answer(context, context.Group.Intersect().Count) : result;
    }

    public static ResultCode Similarity(scoped in HllCall call, HllContext context)
    {
        var result = CanIntersect(context);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        var reply = context.Outcome.Reply;
        BinaryPrimitives.WriteDoubleBigEndian(reply.Reserve(sizeof(double)), context.Group.Intersect().Similarity);
        reply.Commit(sizeof(double));
        context.Outcome.Answer(ParticleType.Double);
        return ResultCode.Ok;
    }

    public static ResultCode Describe(scoped in HllCall call, HllContext context)
    {
        _ = HllSketch.TryOpen(context.Own, out var sketch);
        var reply = new PackedWriter(context.Outcome.Reply);
        reply.List(2);
        reply.Integer(sketch.Shape.IndexBits);
        reply.Integer(sketch.Shape.MinhashBits);
        context.Outcome.Answer(ParticleType.List);
        return ResultCode.Ok;
    }

    /// One: every value may have been added. Zero: one of them has not.
    public static ResultCode MayContain(scoped in HllCall call, HllContext context)
    {
        _ = HllSketch.TryOpen(context.Own, out var sketch);
        var values = new PackedReader(call.Values);
        for (var i = 0; i < call.ValueCount; i++)
        {
            var isValue = values.TryTake(out var value);
            Invariant.Holds(isValue);
            var (register, to) = sketch.Shape.Place(value);
            if (sketch.Register(register) < to)
            {
                return Answer(context, 0);
            }
        }

        return Answer(context, 1);
    }

    internal static long CountOf(HllContext context, out bool isCached)
    {
        _ = HllSketch.TryOpen(context.Own, out var sketch);
        isCached = sketch.CachedCount != 0;
        return isCached ? sketch.CachedCount : sketch.Estimate(context.Scratch);
    }

    internal static ResultCode Answer(HllContext context, long value)
    {
        var reply = context.Outcome.Reply;
        BinaryPrimitives.WriteInt64BigEndian(reply.Reserve(sizeof(long)), value);
        reply.Commit(sizeof(long));
        context.Outcome.Answer(ParticleType.Integer);
        return ResultCode.Ok;
    }

    // Too many sketches without minhashes: the client's fault where those that it sent could not be intersected by themselves either.
    private static ResultCode CanIntersect(HllContext context)
    {
        var group = context.Group;
        if (group.HasMinhash || group.Count <= HllGroup.WithoutMinhashMax)
        {
            return ResultCode.Ok;
        }

        return new HllGroup(default, context.Call, context.Scratch).HasMinhash ? ResultCode.OpNotApplicable : ResultCode.Parameter;
    }
}
