using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.DataModel.Bits;

/// Works on the blob as it is; a new one goes to outcome.Value. Not Ok leaves the bin as it was.
internal delegate ResultCode BitHandler(scoped in BitCall call, ReadOnlySpan<byte> blob, OpOutcome outcome);

/// One operation on bits. Everything that the parser and the checks know of it stands in its row.
internal sealed record BitOperation(byte Code, string Name, BitArgument[] Arguments, int Required, BitHandler Handler)
{
    private const BitFlags Creating = BitFlags.CreateOnly | BitFlags.UpdateOnly | BitFlags.NoFail;
    private const BitFlags Integers = BitFlags.UpdateOnly | BitFlags.NoFail;
    private const BitFlags Runs = Integers | BitFlags.Partial;

    private static readonly BitOperation[] ByCode = Index(
    [
        new(0, "resize", [BitArgument.Size, BitArgument.Flags, BitArgument.SubFlags], 1, BitBytes.Resize)
            { Flags = Creating, SubFlags = (int)ResizeFlags.All, Modifies = true, SizeMin = 0 },
        new(1, "insert", [BitArgument.Offset, BitArgument.Blob, BitArgument.Flags], 2, BitBytes.Insert)
            { Flags = Creating, Modifies = true, SizeMin = 0 },
        new(2, "remove", [BitArgument.Offset, BitArgument.Size, BitArgument.Flags], 2, BitBytes.Remove)
            { Flags = Runs, Modifies = true, CountsBytes = true },
        Blob(3, "set", BitRuns.Set),
        Blob(4, "or", BitRuns.Or),
        Blob(5, "xor", BitRuns.Xor),
        Blob(6, "and", BitRuns.And),
        new(7, "not", [BitArgument.Offset, BitArgument.Size, BitArgument.Flags], 2, BitRuns.Not) { Flags = Runs, Modifies = true },
        Shift(8, "lshift", BitRuns.ShiftLeft),
        Shift(9, "rshift", BitRuns.ShiftRight),
        Arithmetic(10, "add", BitIntegers.Add),
        Arithmetic(11, "subtract", BitIntegers.Subtract),
        new(12, "set_int", [BitArgument.Offset, BitArgument.Size, BitArgument.Number, BitArgument.Flags], 3, BitIntegers.Set)
            { Flags = Integers, Modifies = true, SizeMax = BitSpan.WordBits },
        new(50, "get", [BitArgument.Offset, BitArgument.Size], 2, BitReads.Get),
        new(51, "count", [BitArgument.Offset, BitArgument.Size], 2, BitReads.Count),
        new(52, "lscan", [BitArgument.Offset, BitArgument.Size, BitArgument.Sought], 3, BitReads.ScanFromLeft),
        new(53, "rscan", [BitArgument.Offset, BitArgument.Size, BitArgument.Sought], 3, BitReads.ScanFromRight),
        new(54, "get_int", [BitArgument.Offset, BitArgument.Size, BitArgument.SubFlags], 2, BitReads.GetInteger)
            { SubFlags = (int)IntegerFlags.Signed, SizeMax = BitSpan.WordBits },
    ]);

    /// The write flags that it takes.
    public BitFlags Flags { get; init; }

    public int SubFlags { get; init; }

    public bool Modifies { get; init; }

    public long SizeMin { get; init; } = 1;

    public long SizeMax { get; init; } = long.MaxValue;

    /// Offset and size are bytes, not bits.
    public bool CountsBytes { get; init; }

    /// The run's new bits come with the call.
    public bool RunIsOfBlob { get; init; }

    /// It makes a bin where there is none.
    public bool Creates => (Flags & BitFlags.CreateOnly) != 0;

    public static BitOperation? Find(long code) => (ulong)code < (ulong)ByCode.Length ? ByCode[code] : null;

    private static BitOperation Blob(byte code, string name, BitHandler handler) =>
        new(code, name, [BitArgument.Offset, BitArgument.Size, BitArgument.Blob, BitArgument.Flags], 3, handler)
            { Flags = Runs, Modifies = true, RunIsOfBlob = true };

    private static BitOperation Shift(byte code, string name, BitHandler handler) =>
        new(code, name, [BitArgument.Offset, BitArgument.Size, BitArgument.Shift, BitArgument.Flags], 3, handler)
            { Flags = Runs, Modifies = true };

    private static BitOperation Arithmetic(byte code, string name, BitHandler handler) =>
        new(code, name, [BitArgument.Offset, BitArgument.Size, BitArgument.Number, BitArgument.Flags, BitArgument.SubFlags], 3, handler)
        {
            Flags = Integers,
            SubFlags = (int)IntegerFlags.All,
            Modifies = true,
            SizeMax = BitSpan.WordBits,
        };

    private static BitOperation[] Index(BitOperation[] rows)
    {
        var byCode = new BitOperation[rows.Max(row => row.Code) + 1];
        foreach (var row in rows)
        {
            Invariant.Holds(byCode[row.Code] is null);
            byCode[row.Code] = row;
        }

        return byCode;
    }
}
