using Aerie.Foundation;

namespace Aerie.Index;

/// What iterations take out of a leaf.
internal readonly ref struct LeafWalk(IndexMemory memory, ulong stretch, int partition)
{
    /// The entries from the key on, in digest order.
    public int InOrder(Leaf leaf, in OrderKey from, Span<EntryHandle> into)
    {
        Span<ulong> prefixes = stackalloc ulong[Leaf.CapacityMax];
        var count = 0;
        foreach (var handle in leaf.Handles)
        {
            memory.PrefetchEntry(handle); // they lie all over the memory: side by side instead of one after the other
        }

        foreach (var handle in leaf.Handles)
        {
            var digest = memory.EntryAt(handle).Digest(partition);
            if (new OrderKey(digest, stretch).CompareTo(from) >= 0)
            {
                prefixes[count] = digest.Prefix;
                into[count++] = new EntryHandle(handle);
            }
        }

        prefixes = prefixes[..count];
        prefixes.Sort(into[..count]);
        OrderEqualPrefixes(prefixes, into);
        return count;
    }

    /// The entries that expired. First makes the leaf's void-time exact, so that a leaf is looked through in vain once only.
    public int Expired(Leaf leaf, uint now, Span<EntryHandle> into)
    {
        if (leaf.MinVoidTime == 0 || leaf.MinVoidTime > now)
        {
            return 0;
        }

        var count = 0;
        leaf.MinVoidTime = 0;
        foreach (var handle in leaf.Handles)
        {
            var voidTime = memory.EntryAt(handle).VoidTime;
            leaf.NoteVoidTime(voidTime);
            if (voidTime != 0 && voidTime <= now)
            {
                into[count++] = new EntryHandle(handle);
            }
        }

        return count;
    }

    // Only digests that somebody chose to be alike have equal prefixes.
    private void OrderEqualPrefixes(ReadOnlySpan<ulong> prefixes, Span<EntryHandle> handles)
    {
        for (var end = 1; end < prefixes.Length; end++)
        {
            for (var at = end; at > 0 && prefixes[at] == prefixes[at - 1] && IsBefore(handles[at], handles[at - 1]); at--)
            {
                (handles[at], handles[at - 1]) = (handles[at - 1], handles[at]);
            }
        }
    }

    private bool IsBefore(EntryHandle one, EntryHandle other) =>
        memory.EntryAt(one.Value).Digest(partition) < memory.EntryAt(other.Value).Digest(partition);
}
