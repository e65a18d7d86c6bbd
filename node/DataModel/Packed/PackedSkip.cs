using System.Buffers.Binary;

namespace Aerie.DataModel.Packed;

/// Passes over packed values as fast as their lengths can be read. Nothing is kept per level: one number counts the values that are
/// still to be passed, so depth costs nothing and hostile bytes cannot exhaust the stack.
public static class PackedSkip
{
    /// Above this, an entry says how the length is found; up to it, the entry is the length of the whole element.
    private const byte LengthMax = 32;
    private const byte Payload8 = 100;
    private const byte Payload16 = 101;
    private const byte Payload32 = 102;
    private const byte Extension8 = 103;
    private const byte Extension16 = 104;
    private const byte Extension32 = 105;
    private const byte ShortMap = 106;
    private const byte ShortList = 107;
    private const byte List16 = 108;
    private const byte List32 = 109;
    private const byte Map16 = 110;
    private const byte Map32 = 111;
    private const byte Broken = 112;

    private static readonly byte[] Forms = MakeForms();

    /// Returns the offset behind `values` values from `offset` on; -1 when the bytes end before, or are no packed values.
    public static int Skip(ReadOnlySpan<byte> bytes, int offset, long values = 1)
    {
        var forms = Forms;
        while (values > 0)
        {
            if ((uint)offset >= (uint)bytes.Length)
            {
                return -1;
            }

            values--;
            int form = forms[bytes[offset]];
            if (form <= LengthMax)
            {
                offset += form;
            }
            else if (form == Payload8 && offset + 1 < bytes.Length)
            {
                offset += 2 + bytes[offset + 1];
            }
            else if (!TrySkipLong(bytes, form, ref offset, ref values))
            {
                return -1;
            }
        }

        return offset <= bytes.Length ? offset : -1;
    }

    /// The length of an element that says it with its first byte and has nothing inside; 0 of others.
    internal static int ShortLength(byte first) => Forms[first] is <= LengthMax and var length ? length : 0;

    /// Passes over one value as Skip does, and counts its lists and maps with all inside them; says whether there are extensions.
    public static int Survey(ReadOnlySpan<byte> bytes, out int containers, out bool hasExtensions)
    {
        (containers, hasExtensions) = (0, false);
        var offset = 0;
        for (var values = 1L; values > 0;)
        {
            if ((uint)offset >= (uint)bytes.Length)
            {
                return -1;
            }

            values--;
            var first = bytes[offset];
            containers += first is (>= 0x80 and <= 0x9F) or (>= 0xDC and <= 0xDF) ? 1 : 0;
            hasExtensions |= first is (>= 0xC7 and <= 0xC9) or (>= 0xD4 and <= 0xD8);
            int form = Forms[first];
            if (form <= LengthMax)
            {
                offset += form;
            }
            else if (!TrySkipLong(bytes, form, ref offset, ref values))
            {
                return -1;
            }
        }

        return offset <= bytes.Length ? offset : -1;
    }

    /// Levels of lists and maps inside each other: 0 for a scalar. PackedReader.DepthMax when it is too deep or broken.
    public static int Depth(ReadOnlySpan<byte> value)
    {
        var reader = new PackedReader(value);
        Span<long> left = stackalloc long[PackedReader.DepthMax];
        var (depth, deepest) = (0, 0);
        left[0] = 1;
        while (true)
        {
            while (left[depth] == 0)
            {
                if (depth-- == 0)
                {
                    return deepest;
                }
            }

            left[depth]--;
            if (!reader.TryRead(out var item) || (item.IsContainer && depth + 1 == PackedReader.DepthMax))
            {
                return PackedReader.DepthMax;
            }

            if (item.IsContainer)
            {
                left[++depth] = item.Kind == PackedKind.Map ? 2L * item.Count : item.Count;
                deepest = Math.Max(deepest, depth);
            }
        }
    }

    private static bool TrySkipLong(ReadOnlySpan<byte> bytes, int form, ref int offset, ref long values)
    {
        var first = bytes[offset];
        var rest = bytes[(offset + 1)..];
        var lengthBytes = form switch
        {
            ShortMap or ShortList => 0,
            Payload8 or Extension8 => 1,
            Payload16 or Extension16 or List16 or Map16 => 2,
            Payload32 or Extension32 or List32 or Map32 => 4,
            _ => int.MaxValue,
        };
        if (rest.Length < lengthBytes)
        {
            return false;
        }

        long length = lengthBytes switch
        {
            0 => first & 0x0F,
            1 => rest[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(rest),
            _ => BinaryPrimitives.ReadUInt32BigEndian(rest),
        };
        offset += 1 + lengthBytes;
        switch (form)
        {
            case ShortMap or Map16 or Map32:
                values += 2 * length;
                return true;
            case ShortList or List16 or List32:
                values += length;
                return true;
            case Extension8 or Extension16 or Extension32:
                length++; // the type
                break;
        }

        if (length > bytes.Length - offset)
        {
            return false;
        }

        offset += (int)length;
        return true;
    }

    private static byte[] MakeForms()
    {
        var forms = new byte[256];
        forms.AsSpan().Fill(1);
        forms.AsSpan(0x80, 16).Fill(ShortMap);
        forms.AsSpan(0x90, 16).Fill(ShortList);
        for (var length = 0; length < 32; length++)
        {
            forms[0xA0 + length] = (byte)(1 + length);
        }

        forms[0xBF] = LengthMax;
        (forms[0x80], forms[0x90]) = (1, 1);
        ReadOnlySpan<byte> longForms =
        [
            1, Broken, 1, 1, Payload8, Payload16, Payload32, Extension8, Extension16, Extension32, 5, 9, 2, 3, 5, 9,
            2, 3, 5, 9, 3, 4, 6, 10, 18, Payload8, Payload16, Payload32, List16, List32, Map16, Map32,
        ];
        longForms.CopyTo(forms.AsSpan(0xC0));
        return forms;
    }
}
