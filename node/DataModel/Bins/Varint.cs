namespace Aerie.DataModel.Bins;

/// Lengths and counts inside a record image: seven bits per byte, lowest first, the high bit says that more follows.
/// At most four bytes: 256 MiB, far above the 8 MiB of a record.
public static class Varint
{
    public const int LengthMax = 4;

    public const int ValueMax = (1 << (7 * LengthMax)) - 1;

    public static int Length(int value) => value switch
    {
        < 1 << 7 => 1,
        < 1 << 14 => 2,
        < 1 << 21 => 3,
        _ => 4,
    };

    /// Returns the bytes written.
    public static int Write(Span<byte> target, int value)
    {
        var at = 0;
        var rest = (uint)value;
        while (rest >= 0x80)
        {
            target[at++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        target[at++] = (byte)rest;
        return at;
    }

    /// Reads at the offset and moves it behind the number. False when the bytes end first or the number is too long.
    public static bool TryRead(ReadOnlySpan<byte> bytes, ref int offset, out int value)
    {
        value = 0;
        for (var i = 0; i < LengthMax && (uint)offset < (uint)bytes.Length; i++)
        {
            var b = bytes[offset++];
            value |= (b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
