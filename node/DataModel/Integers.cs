using System.Buffers.Binary;

namespace Aerie.DataModel;

public static class Integers
{
    /// Wire integers are signed, big-endian, of one, two, four or eight bytes.
    public static long Widen(ReadOnlySpan<byte> value) => value.Length switch
    {
        1 => (sbyte)value[0],
        2 => BinaryPrimitives.ReadInt16BigEndian(value),
        4 => BinaryPrimitives.ReadInt32BigEndian(value),
        _ => BinaryPrimitives.ReadInt64BigEndian(value),
    };
}
