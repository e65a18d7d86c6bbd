namespace Aerie.Index;

/// How far an iteration of one partition got. It names a place in digest order, not in the tree, and so survives whatever
/// happens to the tree between two steps. The default value stands before the first record.
public struct IndexCursor
{
    /// Everything before it was passed.
    internal OrderKey From;

    public bool IsAtEnd { get; internal set; }
}
