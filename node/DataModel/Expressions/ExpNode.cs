namespace Aerie.DataModel.Expressions;

/// One step of a program. The nodes of an argument follow the node that takes it, so a subtree is a run of nodes:
/// the first argument stands behind its taker, the next one where the last one ends.
internal struct ExpNode
{
    public ExpCode Code;

    /// What it evaluates to, as far as known.
    public ExpType Type;

    /// Behind the last node of the subtree.
    public int End;

    /// Bytes of the program: a literal, a name, a packed call.
    public int Offset;
    public int Length;

    /// The value of a scalar literal; the place of a variable; the number of a pattern; flags of a call.
    public long Bits;
}
