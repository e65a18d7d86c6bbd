using System.Runtime.CompilerServices;
using Aerie.DataModel;
using Aerie.DataModel.Cdt;
using Aerie.Protocol;

namespace Aerie.Server.Transactions;

/// A bin's value as clients see it.
internal static class BinReply
{
    /// Returns the bytes written, never more than ReplyFormat.OpLength of the stored value.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Write(Span<byte> target, ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value) =>
        type is ParticleType.List or ParticleType.Map
            ? WriteContainer(target, name, type, value)
            : ReplyFormat.WriteOp(target, name, (byte)type, value);

    // What is stored may have an index in front that is not for clients.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int WriteContainer(Span<byte> target, ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value)
    {
        Span<byte> head = stackalloc byte[CdtWire.HeadMax];
        head = head[..CdtWire.WriteHead(value, head, out var rest)];
        return ReplyFormat.WriteOp(target, name, (byte)type, head, value[rest..]);
    }
}
