using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Protocol;

namespace Aerie.Server.Query;

/// The partitions of a query in the order in which they are walked: first those that an earlier query left half-way, each
/// with the digest to go on behind, then those to be walked as a whole. Each partition comes once.
internal sealed class PartitionList
{
    private static readonly PartitionList All =
        new([.. Enumerable.Range(0, Digest.PartitionCount).Select(id => (ushort)id)], Digest.PartitionCount, [], isListed: false);

    private readonly ushort[] _partitions;
    private readonly Digest[] _resume;

    private PartitionList(ushort[] partitions, int count, Digest[] resume, bool isListed)
    {
        _partitions = partitions;
        _resume = resume;
        Count = count;
        IsListed = isListed;
    }

    /// False: the client named none and means all, as clients did before they knew about partitions.
    public bool IsListed { get; }

    public int Count { get; }

    public int this[int at] => _partitions[at];

    /// Where the walk of the partition begins.
    public IndexCursor Start(int at, PrimaryIndex index) => at < _resume.Length ? index.CursorAfter(_resume[at]) : default;

    public static bool TryRead(in Fields fields, out PartitionList? list)
    {
        list = null;
        var hasIds = fields.TryGet(FieldId.Partitions, out var ids);
        var hasDigests = fields.TryGet(FieldId.ResumeDigests, out var digests);
        if (ids.Length % sizeof(ushort) != 0 || digests.Length % Digest.Length != 0)
        {
            return false;
        }

        if (!hasIds && !hasDigests)
        {
            list = All;
            return true;
        }

        var seen = new bool[Digest.PartitionCount];
        var partitions = new ushort[Math.Min(Digest.PartitionCount, (digests.Length / Digest.Length) + (ids.Length / sizeof(ushort)))];
        var resume = AddDigests(digests, seen, partitions);
        var count = resume.Length;
        for (; ids.Length > 0; ids = ids[sizeof(ushort)..])
        {
            var id = BinaryPrimitives.ReadUInt16LittleEndian(ids);
            if (id >= Digest.PartitionCount)
            {
                return false;
            }

            if (!seen[id])
            {
                seen[id] = true;
                partitions[count++] = id;
            }
        }

        list = new PartitionList(partitions, count, resume, isListed: true);
        return true;
    }

    private static Digest[] AddDigests(ReadOnlySpan<byte> digests, bool[] seen, ushort[] partitions)
    {
        var resume = new Digest[Math.Min(Digest.PartitionCount, digests.Length / Digest.Length)];
        var count = 0;
        for (; digests.Length > 0; digests = digests[Digest.Length..])
        {
            var digest = new Digest(digests[..Digest.Length]);
            if (!seen[digest.Partition])
            {
                seen[digest.Partition] = true;
                partitions[count] = (ushort)digest.Partition;
                resume[count++] = digest;
            }
        }

        return resume[..count];
    }
}
