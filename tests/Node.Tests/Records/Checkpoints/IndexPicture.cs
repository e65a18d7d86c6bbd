using Aerie.Foundation;
using Aerie.Index;
using Aerie.Node.Tests.Records.Flushing;
using Aerie.Server.Records;
using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Records.Checkpoints;

/// All that a restart has made of a medium: what two ways of starting must agree on.
internal sealed class IndexPicture
{
    private readonly Dictionary<Digest, RecordEntry> _entries = [];
    private readonly int[] _units;
    private readonly BlockBooks[] _books;
    private readonly Namespace _records;
    private readonly uint _now;

    public IndexPicture(DeviceNode node)
    {
        _records = node.Records;
        _now = CitrusTime.Seconds(node.Clock.UnixMilliseconds);
        _units = new int[_records.Log.BlockCount];
        _books = [.. Enumerable.Range(0, _units.Length).Select(_records.Log.BooksOf)];
        var rows = new RecordEntry[PrimaryIndex.LeafCapacity];
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            using var gate = _records.Index.Enter(partition);
            var cursor = default(IndexCursor);
            while (_records.Index.NextRows(partition, ref cursor, rows) is > 0 and var count)
            {
                foreach (var row in rows.AsSpan(0, count))
                {
                    var digest = row.Digest(partition);
                    Assert.True(_entries.TryAdd(digest, row));
                    Assert.True(_records.Index.TryFind(digest, out _));
                    _units[new RecordLocation(row.Place).Block] += new RecordLocation(row.Place).Units;
                }
            }
        }
    }

    public int Count => _entries.Count;

    /// From a checkpoint, against one from all blocks. They may differ in what no client sees and what leaves no mark: the scan
    /// finds again what had expired with its first version, or was cut off, and was swept away before the checkpoint. And of a version
    /// that was moved, the scan may know the other copy, when the block it was moved to is the older one: then the scan has no use for
    /// the block in which the checkpoint knows it.
    public void MustEqual(IndexPicture scanned)
    {
        foreach (var (digest, entry) in _entries)
        {
            Assert.True(scanned._entries.TryGetValue(digest, out var other), $"{Describe(entry)}: only the checkpoint has it");
            Assert.True(IsSame(entry, other), $"checkpoint {Describe(entry)}, scan {Describe(other)}");
        }

        foreach (var (digest, entry) in scanned._entries)
        {
            if (!_entries.ContainsKey(digest))
            {
                var mayMiss = _records.IsTruncated(entry) || (entry.Generation == 1 && Namespace.IsExpired(entry, _now));
                Assert.True(mayMiss, $"{Describe(entry)}: only the scan has it");
            }
        }

        for (var block = 0; block < _units.Length; block++)
        {
            var (books, other) = (_books[block], scanned._books[block]);
            if (books.IsUsed && other.IsUsed)
            {
                Assert.True(books.Marks == other.Marks, $"block {block}: {books.Marks} marks, the scan counts {other.Marks}");
            }
            else if (books.IsUsed)
            {
                MustBeElsewhere(scanned, block);
            }
            else
            {
                Assert.True(_units[block] == 0, $"block {block} is free and has {_units[block]} units");
            }
        }

        Assert.True(_records.RemovalMarks <= scanned._records.RemovalMarks);
    }

    // The scan has no use for the block: it must be empty of marks, and each record in it must lie in a block that the scan uses.
    private void MustBeElsewhere(IndexPicture scanned, int block)
    {
        var name = $"block {block} is used after the checkpoint alone: {_units[block]} units, {_books[block].Marks} marks";
        Assert.True(_books[block].Marks == 0 && _units[block] > 0, name);
        foreach (var (digest, entry) in _entries.Where(pair => new RecordLocation(pair.Value.Place).Block == block))
        {
            var copy = new RecordLocation(scanned._entries[digest].Place);
            Assert.True(copy.Block != block && scanned._books[copy.Block].IsUsed, $"{name}; {Describe(entry)} is also in {copy}");
            Assert.True(
                scanned._records.Log.BooksOf(copy.Block).Length >= (copy.Offset / StorageUnit.Length) + copy.Units, $"{name}; {copy}");
        }
    }

    /// What the log counts in each block is what records and marks take there. Of a node that has just started.
    public void MustBalance()
    {
        for (var block = 0; block < _units.Length; block++)
        {
            var used = _records.Log.UsedUnitsOf(block);
            Assert.True(used == _units[block] + (_books[block].Marks * RemovalMark.Units),
                $"block {block}: {used} units used, {_units[block]} by records and {_books[block].Marks} marks");
        }
    }

    private static bool IsSame(in RecordEntry one, in RecordEntry other) =>
        one.Generation == other.Generation && one.LastUpdateTime == other.LastUpdateTime && one.VoidTime == other.VoidTime
        && one.SetId == other.SetId && one.IsTombstone == other.IsTombstone && one.Units == other.Units;

    private static string Describe(in RecordEntry entry) =>
        $"generation {entry.Generation} at {entry.LastUpdateTime} until {entry.VoidTime} in {new RecordLocation(entry.Place)}"
        + (entry.IsTombstone ? " (tombstone)" : "");
}
