using System.Runtime.InteropServices;
using Aerie.Foundation;

namespace Aerie.DataModel.Geo;

/// How fine a covering is.
public readonly record struct CoveringOptions(int LevelMin, int LevelMax, int CellsMax, int LevelStep)
{
    public const int CellsMaxMax = 256;
    public const int LevelStepMax = 3;

    /// What the reference covers regions with when nothing is configured.
    public static CoveringOptions Default { get; } = new(LevelMin: 1, LevelMax: 20, CellsMax: 12, LevelStep: 1);

    public bool IsValid => LevelMin >= 0 && LevelMin <= LevelMax && LevelMax <= CellId.LevelMax
        && CellsMax is >= 1 and <= CellsMaxMax && LevelStep is >= 1 and <= LevelStepMax;

    internal int Next(int level) => level < LevelMin ? level + 1 : level + LevelStep;
}

/// Cells that together hold a region. Their levels are between the least and the greatest, in steps from the least; they are no
/// more than allowed, unless the least level or the faces of the cube need more. Large cells are divided first, and among equal
/// ones those that leave fewer parts. One object covers one region after the other and keeps its memory.
public sealed class CellCovering
{
    /// The least level is given up where it would take more cells than this: coarser cells hold the region too.
    private const int CellsHardMax = 1024;

    /// Dividing ends where the parts have noted so many edges: a bound for regions of very many or very long edges.
    private const int NotedMax = 512 * 1024;

    /// Notes kept from one region to the next.
    private const int NotedKeptMax = 64 * 1024;

    private readonly List<ulong> _cells = [];
    private readonly List<Part> _children = [];
    private List<Part> _parts = [];
    private List<Part> _next = [];
    private List<int> _noted = [];

    /// Ordered by id, none inside another.
    public ReadOnlySpan<ulong> Cells => CollectionsMarshal.AsSpan(_cells);

    public void Cover(GeoShape region, in CoveringOptions options)
    {
        Invariant.Holds(options.IsValid && region.IsRegion);
        Begin(region);
        for (var level = 0; _parts.Count > 0; level = options.Next(level))
        {
            Divide(region, level, options);
            Choose(level, options);
            (_parts, _next) = (_next, _parts);
            _next.Clear();
        }

        _cells.Sort();
    }

    /// True when a cell of the covering holds the leaf.
    public bool Holds(CellId leaf)
    {
        var found = _cells.BinarySearch(leaf.Value);
        var at = found < 0 ? ~found : found;
        return (at < _cells.Count && new CellId(_cells[at]).Contains(leaf)) || (at > 0 && new CellId(_cells[at - 1]).Contains(leaf));
    }

    private void Begin(GeoShape region)
    {
        _cells.Clear();
        _parts.Clear();
        _noted.Clear();
        if (_noted.Capacity > NotedKeptMax)
        {
            _noted = [];
        }

        var edges = region.Loops.Edges;
        for (var i = 0; i < edges.Length; i++)
        {
            _noted.Add(i);
        }

        for (var face = 0; face < CellId.Faces; face++)
        {
            var cell = CellId.OfFace(face);
            var whole = new Part(cell, 0, edges.Length, region.Contains(cell.Square().Inner), false);
            AddWhereMet(region, cell, whole, whole.IsInnerInside, _parts);
        }
    }

    // Notes for each part that can be divided what it would be divided into.
    private void Divide(GeoShape region, int level, in CoveringOptions options)
    {
        _children.Clear();
        var isLast = options.Next(level) > options.LevelMax;
        foreach (ref var part in CollectionsMarshal.AsSpan(_parts))
        {
            part.FirstChild = _children.Count;
            if (!isLast && !(part.IsInside && level >= options.LevelMin) && _noted.Count < NotedMax)
            {
                AddDescendants(region, part, options.Next(level) - level);
            }

            part.ChildCount = _children.Count - part.FirstChild;
        }
    }

    // Puts the children in the place of their part where there is room for them.
    private void Choose(int level, in CoveringOptions options)
    {
        var parts = CollectionsMarshal.AsSpan(_parts);
        parts.Sort(static (a, b) => a.ChildCount.CompareTo(b.ChildCount));
        var room = level < options.LevelMin ? CellsHardMax : options.CellsMax;
        for (var i = 0; i < parts.Length; i++)
        {
            ref var part = ref parts[i];
            var others = _cells.Count + _next.Count + parts.Length - i - 1;
            if (part.ChildCount == 0 || others + part.ChildCount > room)
            {
                _cells.Add(part.Cell.Value);
                continue;
            }

            _next.AddRange(CollectionsMarshal.AsSpan(_children).Slice(part.FirstChild, part.ChildCount));
        }
    }

    private void AddDescendants(GeoShape region, in Part part, int levels)
    {
        var inner = part.Cell.Square().Inner;
        for (var place = 0; place < 4; place++)
        {
            var cell = part.Cell.Child(place);
            var isInside = region.Kind == GeoKind.Polygon && part.IsInnerInside ^ CrossesOdd(region, part, inner, cell.Square().Inner);
            if (levels == 1)
            {
                AddWhereMet(region, cell, part, isInside, _children);
            }
            else if (TryMeet(region, cell, part, isInside, out var child))
            {
                AddDescendants(region, child, levels - 1);
            }
        }
    }

    private void AddWhereMet(GeoShape region, CellId cell, in Part parent, bool isInnerInside, List<Part> target)
    {
        if (TryMeet(region, cell, parent, isInnerInside, out var part))
        {
            target.Add(part);
        }
    }

    // The cell as a part, with those of its parent's edges that meet it; false where the region does not.
    private bool TryMeet(GeoShape region, CellId cell, in Part parent, bool isInnerInside, out Part part)
    {
        var square = cell.Square();
        if (region.Kind == GeoKind.Circle)
        {
            part = new Part(cell, 0, 0, false, region.Circle.Holds(square));
            return region.Circle.Meets(square);
        }

        var edges = region.Loops.Edges;
        var first = _noted.Count;
        for (var i = parent.FirstEdge; i < parent.FirstEdge + parent.EdgeCount; i++)
        {
            ref readonly var edge = ref edges[_noted[i]];
            if (square.Meets(edge.A, edge.B))
            {
                _noted.Add(_noted[i]);
            }
        }

        var count = _noted.Count - first;
        part = new Part(cell, first, count, isInnerInside, count == 0 && isInnerInside);
        return count > 0 || isInnerInside;
    }

    // The way between two inner points of a part meets only edges that the part meets.
    private bool CrossesOdd(GeoShape region, in Part part, SpherePoint from, SpherePoint to)
    {
        var edges = region.Loops.Edges;
        var way = from.Normal(to);
        var odd = false;
        for (var i = part.FirstEdge; i < part.FirstEdge + part.EdgeCount; i++)
        {
            odd ^= GeoLoops.Crosses(edges[_noted[i]], way, from, to);
        }

        return odd;
    }

    private record struct Part(CellId Cell, int FirstEdge, int EdgeCount, bool IsInnerInside, bool IsInside)
    {
        public int FirstChild { get; set; }

        public int ChildCount { get; set; }
    }
}
