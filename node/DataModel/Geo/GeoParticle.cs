using System.Buffers.Binary;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Geo;

/// Memory of geo operations, kept from call to call. One for each thread.
public sealed class GeoScratch
{
    internal GeoShape Left { get; } = new();

    internal GeoShape Right { get; } = new();

    internal CellCovering Covering { get; } = new();
}

/// A GeoJSON value as it is stored and sent: flags u8 · cell count u16 · that many cells u64 · the text; numbers big-endian.
/// Clients send no cells and read over those that they are sent.
public static class GeoParticle
{
    /// The cells cover a region; without it there is one, the leaf of a point.
    public const byte RegionFlag = 0x01;

    private const int HeaderLength = 3;

    /// Writes what is stored for the text of a value. GeoInvalid: it is none, and nothing is written.
    public static ResultCode TryBuild(ReadOnlySpan<byte> json, in CoveringOptions options, GeoScratch scratch, GrowingBytes target)
    {
        var shape = scratch.Left;
        if (!shape.TryRead(json))
        {
            return ResultCode.GeoInvalid;
        }

        if (shape.IsRegion)
        {
            scratch.Covering.Cover(shape, options);
            Write(target, RegionFlag, scratch.Covering.Cells, json);
        }
        else
        {
            Write(target, 0, [CellId.Of(shape.Point).Value], json);
        }

        return target.Overflowed ? ResultCode.RecordTooBig : ResultCode.Ok;
    }

    /// The text inside a particle. False: the bytes are too short to be one.
    public static bool TryText(ReadOnlySpan<byte> particle, out ReadOnlySpan<byte> json)
    {
        var length = particle.Length < HeaderLength ? int.MaxValue : HeaderLength + CellCount(particle) * sizeof(ulong);
        json = length <= particle.Length ? particle[length..] : default;
        return length <= particle.Length;
    }

    public static int CellCount(ReadOnlySpan<byte> particle) => BinaryPrimitives.ReadUInt16BigEndian(particle[1..]);

    public static CellId Cell(ReadOnlySpan<byte> particle, int index) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(particle[(HeaderLength + index * sizeof(ulong))..]));

    /// Two texts, one of a point and one of a region, in either order: does the point lie in the region? False for any other two.
    public static bool IsWithin(ReadOnlySpan<byte> leftJson, ReadOnlySpan<byte> rightJson, GeoScratch scratch) =>
        scratch.Left.TryRead(leftJson) && scratch.Right.TryRead(rightJson) && IsWithin(scratch.Left, scratch.Right);

    public static bool IsWithin(GeoShape left, GeoShape right) =>
        (left.Kind == GeoKind.Point && right.Contains(left.Point)) || (right.Kind == GeoKind.Point && left.Contains(right.Point));

    private static void Write(GrowingBytes target, byte flags, ReadOnlySpan<ulong> cells, ReadOnlySpan<byte> json)
    {
        var header = target.Reserve(HeaderLength + cells.Length * sizeof(ulong));
        header[0] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(header[1..], (ushort)cells.Length);
        for (var i = 0; i < cells.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(header[(HeaderLength + i * sizeof(ulong))..], cells[i]);
        }

        target.Commit(header.Length);
        target.Append(json);
    }
}
