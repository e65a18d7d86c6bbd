using Aerie.Foundation;

namespace Aerie.Tools.Bench;

/// A request built once; each use is a copy with other digests written over those of the template.
internal sealed class RequestTemplate
{
    private readonly byte[] _bytes;
    private readonly int[] _digestOffsets;

    /// The digests in the order in which the request has them.
    public RequestTemplate(ReadOnlySpan<byte> request, params ReadOnlySpan<Digest> digests)
    {
        _bytes = request.ToArray();
        _digestOffsets = new int[digests.Length];
        var searched = 0;
        for (var i = 0; i < digests.Length; i++)
        {
            var found = request[searched..].IndexOf(digests[i].ToArray());
            Invariant.Holds(found > 0);
            _digestOffsets[i] = searched + found;
            searched += found + Digest.Length;
        }
    }

    public int Length => _bytes.Length;

    public int Digests => _digestOffsets.Length;

    public int OffsetOf(int place) => _digestOffsets[place];

    public void CopyTo(Span<byte> target) => _bytes.CopyTo(target);

    public void Patch(Span<byte> target, int place, ReadOnlySpan<byte> digest) => digest.CopyTo(target[_digestOffsets[place]..]);
}
