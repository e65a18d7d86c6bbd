using Aerie.Protocol;

namespace Aerie.Server.Transactions;

/// What carries an operation out.
internal enum OpKind : byte
{
    Unknown,

    /// A bin, or all of them, as they are.
    Read,
    Write,

    /// Add, append, prepend.
    Combine,
    Touch,
    Delete,
    Cdt,
    Bits,
    Hll,
    Expression,
}

internal readonly record struct OpRow(OpKind Kind, bool Modifies, bool NeedsName)
{
    /// What it leaves is worked out from the bin's value by the data model.
    public bool IsComputed => Kind >= OpKind.Cdt;
}

/// The operation codes of the wire. A code that is not here is answered with a parameter error.
internal static class OpTable
{
    private static readonly OpRow[] ByCode = Make();

    public static OpRow Of(byte code) => code < ByCode.Length ? ByCode[code] : default;

    private static OpRow[] Make()
    {
        var rows = new OpRow[32];
        rows[(int)OpCode.Read] = new OpRow(OpKind.Read, Modifies: false, NeedsName: false);
        rows[(int)OpCode.Write] = new OpRow(OpKind.Write, Modifies: true, NeedsName: true);
        rows[(int)OpCode.Add] = new OpRow(OpKind.Combine, Modifies: true, NeedsName: true);
        rows[(int)OpCode.Append] = new OpRow(OpKind.Combine, Modifies: true, NeedsName: true);
        rows[(int)OpCode.Prepend] = new OpRow(OpKind.Combine, Modifies: true, NeedsName: true);
        rows[(int)OpCode.Touch] = new OpRow(OpKind.Touch, Modifies: true, NeedsName: false);
        rows[(int)OpCode.Delete] = new OpRow(OpKind.Delete, Modifies: true, NeedsName: false);
        rows[(int)OpCode.CdtRead] = new OpRow(OpKind.Cdt, Modifies: false, NeedsName: true);
        rows[(int)OpCode.CdtModify] = new OpRow(OpKind.Cdt, Modifies: true, NeedsName: true);
        rows[(int)OpCode.ExpressionRead] = new OpRow(OpKind.Expression, Modifies: false, NeedsName: true);
        rows[(int)OpCode.ExpressionModify] = new OpRow(OpKind.Expression, Modifies: true, NeedsName: true);
        rows[(int)OpCode.HllRead] = new OpRow(OpKind.Hll, Modifies: false, NeedsName: true);
        rows[(int)OpCode.HllModify] = new OpRow(OpKind.Hll, Modifies: true, NeedsName: true);
        rows[(int)OpCode.BitsRead] = new OpRow(OpKind.Bits, Modifies: false, NeedsName: true);
        rows[(int)OpCode.BitsModify] = new OpRow(OpKind.Bits, Modifies: true, NeedsName: true);
        return rows;
    }
}
