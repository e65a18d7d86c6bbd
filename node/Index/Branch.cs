namespace Aerie.Index;

/// What a slot of the tree points to: nothing, a node, or a leaf of one to four lines. The kind is in the handle, so that
/// nothing of the target must be loaded to know it.
internal readonly record struct Branch(uint Bits)
{
    public const uint HandleMax = (1U << HandleBits) - 1;

    private const int HandleBits = 29;
    private const uint NodeKind = 5;

    public static readonly Branch None;

    public bool IsNone => Bits == 0;

    public bool IsNode => Bits >> HandleBits == NodeKind;

    public bool IsLeaf => !IsNone && !IsNode;

    /// Length of the block in cache lines.
    public int Lines => IsNode ? 1 : (int)(Bits >> HandleBits);

    public uint Handle => Bits & HandleMax;

    /// Whether the bits can be a branch at all: asked by hints, which read without the lock.
    public bool IsSound => Bits >> HandleBits is >= 1 and <= NodeKind;

    public static Branch Node(uint handle) => new((NodeKind << HandleBits) | handle);

    public static Branch Leaf(int lines, uint handle) => new(((uint)lines << HandleBits) | handle);
}
