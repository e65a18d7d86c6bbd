using System.Numerics;
using Aerie.Foundation;

namespace Aerie.Node.Tests.DataModel.Bits;

/// One operation on bits. `AsRead`: it comes as a read.
internal sealed record BitStep(int Code, bool AsRead = false)
{
    public long Offset { get; init; }

    public long Size { get; init; }

    public byte[] Blob { get; init; } = [];

    public long Number { get; init; }

    public bool Sought { get; init; }

    public int Flags { get; init; }

    public int SubFlags { get; init; }

    public object[] Call => Code switch
    {
        0 => [Code, Size, Flags, SubFlags],
        1 => [Code, Offset, Blob, Flags],
        2 or 7 => [Code, Offset, Size, Flags],
        <= 6 => [Code, Offset, Size, Blob, Flags],
        8 or 9 or 12 => [Code, Offset, Size, Number, Flags],
        10 or 11 => [Code, Offset, Size, Number, Flags, SubFlags],
        50 or 51 => [Code, Offset, Size],
        52 or 53 => [Code, Offset, Size, Sought],
        _ => [Code, Offset, Size, SubFlags],
    };

    public override string ToString() => (AsRead ? "read " : "modify ") +
        string.Join(", ", Call.Select(part => part is byte[] bytes ? Convert.ToHexString(bytes) : $"{part}"));
}

/// Bits by definition: an array of booleans and big integers. What the wire forbids is said here a second time.
internal sealed class NaiveBits
{
    private const int CreateOnly = 1, UpdateOnly = 2, NoFail = 4, Partial = 8;

    public bool[]? Bits { get; private set; }

    public byte[]? ReplyBytes { get; private set; }

    public long? ReplyInteger { get; private set; }

    public byte[]? Bytes => Bits is null ? null : Pack(Bits);

    public static bool[] Unpack(byte[] bytes) => [.. bytes.SelectMany(b => Enumerable.Range(0, 8).Select(i => (b >> (7 - i) & 1) == 1))];

    public static byte[] Pack(bool[] bits) =>
        [.. bits.Chunk(8).Select(chunk => (byte)chunk.Select((bit, i) => bit ? 128 >> i : 0).Sum())];

    public ResultCode Take(BitStep step)
    {
        (ReplyBytes, ReplyInteger) = (null, null);
        if (IsMalformed(step))
        {
            return ResultCode.Parameter;
        }

        var result = step.Code >= 50 ? Read(step) : Modify(step);
        return (step.Flags & NoFail) != 0 && step.Code < 50 ? ResultCode.Ok : result;
    }

    private static bool IsMalformed(BitStep step)
    {
        var allowed = UpdateOnly | NoFail | step.Code switch { 0 or 1 => CreateOnly, 10 or 11 or 12 => 0, _ => Partial };
        var isNumber = step.Code is 10 or 11 or 12 or 54;
        return step.AsRead != step.Code >= 50
            || (step.Code < 50 && ((step.Flags & ~allowed) != 0 || (step.Flags & 3) == 3))
            || (step.Code is 0 or 10 or 11 && (step.SubFlags > 7 || (step.SubFlags & 6) == 6))
            || (step.Code == 54 && step.SubFlags > 1)
            || step.Size < 0 || (step.Size == 0 && step.Code is not (0 or 1)) || (isNumber && step.Size > 64)
            || (step.Code is >= 3 and <= 6 && step.Size > step.Blob.Length * 8)
            || (step.Code is 1 or (>= 3 and <= 6) && step.Blob.Length == 0)
            || (step.Code is 8 or 9 && step.Number < 0);
    }

    private ResultCode Read(BitStep step)
    {
        if (Bits is null)
        {
            return ResultCode.Ok;
        }

        if (Run(step, 1) is not var (start, size))
        {
            return ResultCode.OpNotApplicable;
        }

        var run = Bits[start..(start + size)];
        switch (step.Code)
        {
            case 50:
                ReplyBytes = Pack(run);
                break;
            case 51:
                ReplyInteger = run.Count(bit => bit);
                break;
            case 52:
                ReplyInteger = Array.IndexOf(run, step.Sought);
                break;
            case 53:
                ReplyInteger = Array.LastIndexOf(run, step.Sought);
                break;
            default:
                ReplyInteger = (long)(ulong)(Value(run, step.SubFlags == 1) & ulong.MaxValue);
                break;
        }

        return ResultCode.Ok;
    }

    private ResultCode Modify(BitStep step)
    {
        if (Bits is null && (step.Code > 1 || (step.Flags & UpdateOnly) != 0))
        {
            return ResultCode.BinNotFound;
        }

        if (Bits is not null && (step.Flags & CreateOnly) != 0)
        {
            return ResultCode.BinExists;
        }

        var bits = Bits ?? [];
        switch (step.Code)
        {
            case 0:
                return Resize(step, bits);
            case 1:
                return Insert(step, bits);
            case 2:
                if (Run(step, 8) is not var (at, length))
                {
                    return ResultCode.Parameter;
                }

                Bits = [.. bits[..at], .. bits[(at + length)..]];
                return ResultCode.Ok;
        }

        if (Run(step, 1) is not var (start, size))
        {
            return ResultCode.OpNotApplicable;
        }

        if (NewRun(step, bits[start..(start + size)], Unpack(step.Blob)) is not { } run)
        {
            return ResultCode.OpNotApplicable;
        }

        Bits = [.. bits[..start], .. run, .. bits[(start + size)..]];
        return ResultCode.Ok;
    }

    private ResultCode Resize(BitStep step, bool[] bits)
    {
        var grows = step.Size * 8 > bits.Length;
        var shrinks = step.Size * 8 < bits.Length;
        if ((grows && (step.SubFlags & 4) != 0) || (shrinks && (step.SubFlags & 2) != 0))
        {
            return ResultCode.Parameter;
        }

        var fromFront = (step.SubFlags & 1) != 0;
        var resized = new List<bool>(bits);
        while (resized.Count < step.Size * 8)
        {
            resized.Insert(fromFront ? 0 : resized.Count, false);
        }

        while (resized.Count > step.Size * 8)
        {
            resized.RemoveAt(fromFront ? 0 : resized.Count - 1);
        }

        Bits = [.. resized];
        return ResultCode.Ok;
    }

    private ResultCode Insert(BitStep step, bool[] bits)
    {
        var at = (BigInteger)8 * (step.Offset < 0 ? bits.Length / 8 + step.Offset : step.Offset);
        if (at.Sign < 0)
        {
            return ResultCode.Parameter;
        }

        var padded = bits.Concat(new bool[Math.Max(0, (int)at - bits.Length)]).ToArray();
        Bits = [.. padded[..(int)at], .. Unpack(step.Blob), .. padded[(int)at..]];
        return ResultCode.Ok;
    }

    private static bool[]? NewRun(BitStep step, bool[] run, bool[] operand)
    {
        var size = run.Length;
        var shift = (int)Math.Min(step.Number, size);
        return step.Code switch
        {
            3 => operand[..size],
            4 => [.. run.Zip(operand, (a, b) => a || b)],
            5 => [.. run.Zip(operand, (a, b) => a != b)],
            6 => [.. run.Zip(operand, (a, b) => a && b)],
            7 => [.. run.Select(bit => !bit)],
            8 => [.. run[shift..], .. new bool[shift]],
            9 => [.. new bool[shift], .. run[..(size - shift)]],
            12 => Cut(step.Number, size),
            _ => Sum(step, run),
        };
    }

    private static bool[]? Sum(BitStep step, bool[] run)
    {
        var signed = (step.SubFlags & 1) != 0;
        var operand = Value(Cut(step.Number, run.Length), signed);
        var sum = Value(run, signed) + (step.Code == 10 ? operand : -operand);
        var highest = BigInteger.Pow(2, signed ? run.Length - 1 : run.Length) - 1;
        var lowest = signed ? -highest - 1 : 0;
        if (sum >= lowest && sum <= highest)
        {
            return Cut(sum, run.Length);
        }

        return (step.SubFlags & 4) != 0 ? Cut(sum, run.Length)
            : (step.SubFlags & 2) != 0 ? Cut(sum > highest ? highest : lowest, run.Length)
            : null;
    }

    // Offset and size in units of `unit` bits; null when they leave the bits.
    private (int Start, int Size)? Run(BitStep step, int unit)
    {
        var units = Bits!.Length / unit;
        var start = step.Offset < 0 ? units + step.Offset : step.Offset;
        if (start < 0 || start >= units || (step.Size > units - start && (step.Flags & Partial) == 0))
        {
            return null;
        }

        return ((int)start * unit, (int)Math.Min(step.Size, units - start) * unit);
    }

    private static BigInteger Value(bool[] run, bool signed)
    {
        var value = run.Aggregate(BigInteger.Zero, (sum, bit) => sum * 2 + (bit ? 1 : 0));
        return signed && run[0] ? value - BigInteger.Pow(2, run.Length) : value;
    }

    private static bool[] Cut(BigInteger value, int size) =>
        [.. Enumerable.Range(0, size).Select(i => !(value >> (size - 1 - i)).IsEven)];
}
