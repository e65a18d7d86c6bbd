using Aerie.DataModel.Cdt;
using Aerie.DataModel.Expressions.Regex;
using Aerie.DataModel.Geo;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// A compiled expression. It keeps a copy of the bytes it came from, so it outlives the request; evaluation changes nothing
/// in it. One object serves one expression after the other: its memory is kept for the next.
public sealed class ExpProgram
{
    /// Expressions inside each other. Evaluation recurses, on threads whose stack is small.
    public const int DepthMax = 128;

    /// Steps of a program. Literals count as one, whatever their length.
    public const int NodesMax = 16_384;

    /// Bytes of an expression; values of lists to look for among them.
    public const int LengthMax = 1024 * 1024;

    /// Variables that can be seen at one place.
    public const int VariablesMax = 128;

    private const int KeptBytesMax = 64 * 1024;
    private const int KeptNodesMax = 1024;
    private const int KeptPartsMax = 8;

    private readonly List<RegexProgram> _patterns = [];
    private byte[] _bytes = new byte[256];
    private ExpNode[] _nodes = new ExpNode[32];
    private readonly List<GeoShape> _shapes = [];
    private int _patternCount;
    private int _shapeCount;
    private int _sourceLength;
    private bool _readsBins;
    private bool _readsMetadata;

    /// What the whole expression evaluates to, as far as known.
    public ExpType Type => IsCompiled ? _nodes[0].Type : ExpType.Any;

    public bool IsCompiled => Kind != ExpKind.None;

    internal ExpKind Kind { get; set; }

    /// It reads bins, and nothing of what the index knows: without the record it decides nothing that is worth the try.
    public bool IsAboutBinsAlone => _readsBins && !_readsMetadata;

    /// Flags of the operation that the expression belongs to; zero for filters.
    public ExpOpFlags Flags { get; internal set; }

    /// Only while compiling: the variables that can be seen.
    internal ExpVariable[] Scope => field ??= new ExpVariable[VariablesMax];

    /// Only while compiling: places of keys that are put in order.
    internal CdtScratch Sorting => field ??= new CdtScratch();

    internal int NodeCount { get; private set; }

    internal int ByteCount { get; private set; }

    internal ReadOnlySpan<ExpNode> Nodes => _nodes.AsSpan(0, NodeCount);

    internal ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, ByteCount);

    internal ref ExpNode this[int node] => ref _nodes[node];

    internal RegexProgram Pattern(long number) => _patterns[(int)number];

    internal void Clear()
    {
        Kind = ExpKind.None;
        Flags = default;
        NodeCount = 0;
        ByteCount = 0;
        _patternCount = 0;
        _shapeCount = 0;
        _readsBins = false;
        _readsMetadata = false;
    }

    /// Gives back what an unusually large expression took.
    internal void Trim()
    {
        if (_bytes.Length > KeptBytesMax || _nodes.Length > KeptNodesMax || _patterns.Count + _shapes.Count > KeptPartsMax)
        {
            Clear();
            _bytes = new byte[256];
            _nodes = new ExpNode[32];
            _patterns.Clear();
            _shapes.Clear();
        }
    }

    internal bool IsOf(scoped ReadOnlySpan<byte> packed, ExpKind kind) =>
        Kind == kind && _bytes.AsSpan(0, _sourceLength).SequenceEqual(packed);

    internal void Begin(scoped ReadOnlySpan<byte> packed)
    {
        Append(packed);
        _sourceLength = packed.Length;
    }

    /// Returns where the bytes lie.
    internal int Append(scoped ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - ByteCount < bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, ByteCount + bytes.Length));
        }

        bytes.CopyTo(_bytes.AsSpan(ByteCount));
        ByteCount += bytes.Length;
        return ByteCount - bytes.Length;
    }

    internal int Add(in ExpNode node)
    {
        Invariant.Holds(NodeCount < NodesMax);
        if (NodeCount == _nodes.Length)
        {
            Array.Resize(ref _nodes, _nodes.Length * 2);
        }

        _readsBins |= node.Code == ExpCode.Bin;
        _readsMetadata |= node.Code is >= ExpCode.DigestModulo and <= ExpCode.RecordSize;
        _nodes[NodeCount] = node;
        _nodes[NodeCount].End = NodeCount + 1;
        return NodeCount++;
    }

    /// Takes back the nodes from `node` on.
    internal void DropFrom(int node) => NodeCount = node;

    /// Shapes are numbered from one: the number stands in a literal's node, where zero means that there is none.
    internal GeoShape Shape(long number) => _shapes[(int)number - 1];

    internal int AddShape(out GeoShape shape)
    {
        if (_shapeCount == _shapes.Count)
        {
            _shapes.Add(new GeoShape());
        }

        shape = _shapes[_shapeCount];
        return ++_shapeCount;
    }

    internal int AddPattern(out RegexProgram pattern)
    {
        if (_patternCount == _patterns.Count)
        {
            _patterns.Add(new RegexProgram());
        }

        pattern = _patterns[_patternCount];
        return _patternCount++;
    }
}

/// What a program was compiled as.
internal enum ExpKind : byte
{
    None,
    Expression,
    Path,
    ModifyingPath,
}
