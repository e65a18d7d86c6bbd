using System.Diagnostics;
using Aerie.Foundation;
using Aerie.Index;

namespace Aerie.Benchmarks;

/// Time and memory of the primary index on one thread. Times are of this machine and this minute; bytes are not.
internal static class IndexBenchmark
{
    public static void Run(int records)
    {
        var before = ResidentBytes();
        using var index = new PrimaryIndex(new PrimaryIndexOptions());
        Report("digests alone", records, () => Each(records, digest => digest.Partition));
        Report("insert", records, () => Insert(index, records));
        Memory(index, records, before);
        Report("find in random order", records, () => Find(index, records));
        Report("find in batches of 100 with hints", records, () => FindBatches(index, records));
        Report("find nothing", records, () => FindNothing(index, records));
        Report("iterate", records, () => Iterate(index));
        Report("sweep that finds nothing expired", records, () => Sweep(index));
        Report("replace half of the records", records, () => Replace(index, records));
        Memory(index, records, before);
        Report("remove", records, () => Remove(index, records));
        Memory(index, records, before);
    }

    private static long Each(int records, Func<Digest, int> action)
    {
        var sum = 0L;
        for (var number = 0; number < records; number++)
        {
            sum += action(DigestSource.At((ulong)number));
        }

        return sum;
    }

    private static long Insert(PrimaryIndex index, int records) => Each(records, digest =>
    {
        using var partition = index.Enter(digest.Partition);
        Invariant.Holds(index.TryInsert(digest, out var handle));
        index[handle].Generation = 1;
        return 1;
    });

    private static long Find(PrimaryIndex index, int records)
    {
        var found = 0L;
        for (var number = 0; number < records; number++)
        {
            var digest = DigestSource.At((ulong)number * 7_368_787 % (ulong)records);
            using var partition = index.Enter(digest.Partition);
            if (index.TryFind(digest, out var handle))
            {
                found += index[handle].Generation;
            }
        }

        return found;
    }

    private static long FindBatches(PrimaryIndex index, int records)
    {
        const int Batch = 100;
        var digests = new Digest[Batch];
        var found = 0L;
        for (var first = 0; first + Batch <= records; first += Batch)
        {
            for (var i = 0; i < Batch; i++)
            {
                digests[i] = DigestSource.At((ulong)(first + i) * 7_368_787 % (ulong)records);
                index.PrefetchLeaf(digests[i]);
            }

            for (var i = 0; i < Batch; i++)
            {
                index.PrefetchEntry(digests[i]);
            }

            foreach (ref readonly var digest in digests.AsSpan())
            {
                using var partition = index.Enter(digest.Partition);
                if (index.TryFind(digest, out var handle))
                {
                    found += index[handle].Generation;
                }
            }
        }

        return found;
    }

    private static long FindNothing(PrimaryIndex index, int records)
    {
        var found = 0L;
        for (var number = 0; number < records; number++)
        {
            var digest = DigestSource.At(ulong.MaxValue / 8 + (ulong)number);
            using var partition = index.Enter(digest.Partition);
            found += index.TryFind(digest, out _) ? 1 : 0;
        }

        return found;
    }

    private static long Iterate(PrimaryIndex index)
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        var seen = 0L;
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            IndexCursor cursor = default;
            int count;
            do
            {
                using var entered = index.Enter(partition);
                count = index.NextLeaf(partition, ref cursor, handles);
                seen += count;
            }
            while (count > 0);
        }

        return seen;
    }

    private static long Sweep(PrimaryIndex index)
    {
        var handles = new EntryHandle[PrimaryIndex.LeafCapacity];
        var expired = 0L;
        for (var partition = 0; partition < Digest.PartitionCount; partition++)
        {
            IndexCursor cursor = default;
            while (!cursor.IsAtEnd)
            {
                using var entered = index.Enter(partition);
                expired += index.NextExpired(partition, ref cursor, 1, handles);
            }
        }

        return expired;
    }

    private static long Replace(PrimaryIndex index, int records)
    {
        for (var number = 0; number < records; number += 2)
        {
            RemoveOne(index, DigestSource.At((ulong)number));
            var digest = DigestSource.At((ulong)records + (ulong)number);
            using var partition = index.Enter(digest.Partition);
            Invariant.Holds(index.TryInsert(digest, out _));
        }

        return records;
    }

    private static long Remove(PrimaryIndex index, int records)
    {
        for (var number = 0; number < records; number++)
        {
            RemoveOne(index, DigestSource.At((ulong)number + (number % 2 == 0 ? (ulong)records : 0)));
        }

        return records;
    }

    private static void RemoveOne(PrimaryIndex index, Digest digest)
    {
        using var partition = index.Enter(digest.Partition);
        Invariant.Holds(index.TryFind(digest, out var handle));
        index.Remove(digest, handle);
    }

    private static void Report(string what, int records, Func<long> work)
    {
        var start = Stopwatch.GetTimestamp();
        var result = work();
        var elapsed = Stopwatch.GetElapsedTime(start);
        Console.WriteLine($"{what,-36} {elapsed.TotalNanoseconds / records,8:F1} ns per record   (checksum {result})");
    }

    private static void Memory(PrimaryIndex index, int records, long before) => Console.WriteLine(
        $"{"memory",-36} {(double)index.UsedBytes / records,8:F2} B per record used, {(double)index.LiveBytes / records:F2} live, "
        + $"{(double)(ResidentBytes() - before) / records:F2} growth of the process");

    private static long ResidentBytes()
    {
        using var self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
