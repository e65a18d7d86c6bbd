using System.Buffers.Binary;
using Aerie.DataModel.Packed;

namespace Aerie.Lua.Values;

/// How a bin keeps GeoJSON: flags, the number of cells, the cells, the text. Scripts see the text alone. What they write has no cells:
/// they are computed where the bin is stored.
internal static class GeoJsonParticle
{
    private const int HeaderLength = 3;
    private const int CellLength = 8;

    public static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> particle)
    {
        if (particle.Length < HeaderLength)
        {
            return default;
        }

        var start = HeaderLength + (CellLength * BinaryPrimitives.ReadUInt16BigEndian(particle[1..]));
        return start <= particle.Length ? particle[start..] : default;
    }

    public static void Write(GrowingBytes target, ReadOnlySpan<byte> text)
    {
        target.Append([0, 0, 0]);
        target.Append(text);
    }
}
