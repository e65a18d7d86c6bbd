using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Records;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Records;

/// A full walk over a namespace that nobody works on, against what its counters say.
internal static class Books
{
    public static void MustBalance(Namespace records)
    {
        var objects = 0L;
        var tombstones = 0L;
        var bytes = 0L;
        var bytesBySet = new Dictionary<int, long>();
        var objectsBySet = new Dictionary<int, long>();
        Walk(records, (in RecordEntry entry) =>
        {
            var length = new RecordLocation(entry.Place).Length;
            objects += entry.IsTombstone ? 0 : 1;
            tombstones += entry.IsTombstone ? 1 : 0;
            bytes += length;
            bytesBySet[entry.SetId] = bytesBySet.GetValueOrDefault(entry.SetId) + length;
            objectsBySet[entry.SetId] = objectsBySet.GetValueOrDefault(entry.SetId) + (entry.IsTombstone ? 0 : 1);
        });
        Assert.Equal(objects, records.Objects);
        Assert.Equal(tombstones, records.Tombstones);
        Assert.Equal(bytes + (records.RemovalMarks * RemovalMark.Length), records.Log.UsedBytes);
        for (var id = 0; id <= records.Sets.Count; id++)
        {
            Assert.Equal(bytesBySet.GetValueOrDefault(id), records.SetCounters.BytesOf(id));
            Assert.Equal(objectsBySet.GetValueOrDefault(id), records.SetCounters.ObjectsOf(id));
        }
    }

    /// Those that a client can see.
    public static int LiveRecords(Namespace records, uint nowSeconds)
    {
        var live = 0;
        Walk(records, (in RecordEntry entry) => live += records.IsLive(entry, nowSeconds) ? 1 : 0);
        return live;
    }

    private delegate void EntryVisit(in RecordEntry entry);

    private static void Walk(Namespace records, EntryVisit visit)
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            using var gate = records.Index.Enter(partition);
            var cursor = default(IndexCursor);
            while (records.Index.NextLeaf(partition, ref cursor, handles) is > 0 and var count)
            {
                foreach (var handle in handles.AsSpan(0, count))
                {
                    ref var entry = ref records.Index[handle];
                    visit(entry);
                    if (!records.Log.TryRead(0, new RecordLocation(entry.Place), out var bytes))
                    {
                        Assert.True(records.Log.IsPersistent);
                        continue; // not in memory
                    }

                    Assert.True(RecordImageReader.TryOpen(bytes, out var image));
                    Assert.Equal(entry.Digest(partition), image.Digest);
                    Assert.True(RecordImage.IsSigned(bytes, records.Log.SeedOf(new RecordLocation(entry.Place))));
                }
            }
        }
    }
}
