using System.Diagnostics;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Memory;

namespace Aerie.Benchmarks;

/// Time and memory of the primary index on one thread. Times are processor time, of this machine and
/// this minute; bytes are not.
internal static class IndexBenchmark
{
    private const int WarmUpRecords = 200_000;

    public static void Run(int records)
    {
        RunOnce(WarmUpRecords, TextWriter.Null);
        RunOnce(WarmUpRecords, TextWriter.Null);
        RunOnce(records, Console.Out);
    }

    private static void RunOnce(int records, TextWriter output)
    {
        var before = ResidentBytes();
        using var index = new PrimaryIndex(new PrimaryIndexOptions());
        Report(output, "making digests alone", records, () => Each(records, digest => digest.Partition));
        Report(output, "insert", records, () => Insert(index, records));
        Memory(output, index, records, before);
        Report(output, "find in random order", records, () => Find(index, records));
        Report(output, "find in batches of 100 with hints", records, () => FindBatches(index, records));
        Report(output, "find nothing", records, () => FindNothing(index, records));
        Report(output, "iterate", records, () => Iterate(index));
        Report(output, "sweep that finds nothing expired", records, () => Sweep(index));
        Report(output, "replace half of the records", records, () => Replace(index, records));
        Memory(output, index, records, before);
        Report(output, "remove", records, () => Remove(index, records));
        Memory(output, index, records, before);
        MemoryLatency(output);
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
        var hints = new LookupHint[Batch];
        var found = 0L;
        for (var first = 0; first + Batch <= records; first += Batch)
        {
            for (var i = 0; i < Batch; i++)
            {
                digests[i] = DigestSource.At((ulong)(first + i) * 7_368_787 % (ulong)records);
                index.Foresee(digests[i]);
            }

            for (var i = 0; i < Batch; i++)
            {
                hints[i] = index.ForeseeRoot(digests[i]);
            }

            for (var goesOn = true; goesOn;)
            {
                goesOn = false;
                for (var i = 0; i < Batch; i++)
                {
                    goesOn |= index.ForeseeBranch(digests[i], ref hints[i]);
                }
            }

            for (var i = 0; i < Batch; i++)
            {
                index.ForeseeEntry(digests[i], hints[i]);
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

    private static void Report(TextWriter output, string what, int records, Func<long> work)
    {
        using var self = Process.GetCurrentProcess();
        var start = self.TotalProcessorTime;
        var result = work();
        self.Refresh();
        var elapsed = self.TotalProcessorTime - start;
        output.WriteLine($"{what,-36} {elapsed.TotalNanoseconds / records,8:F1} ns per record   (checksum {result})");
    }

    private static void Memory(TextWriter output, PrimaryIndex index, int records, long before) => output.WriteLine(
        $"{"memory",-36} {(double)index.UsedBytes / records,8:F2} B per record used, {(double)index.LiveBytes / records:F2} live, "
        + $"{(double)(ResidentBytes() - before) / records:F2} growth of the process");

    // The unit that the other times are to be read in: one load that waits for the one before, on huge pages.
    private static void MemoryLatency(TextWriter output)
    {
        const int Loads = 2_000_000;
        const long Length = 256L << 20;
        using var region = NativeRegion.Reserve(Length);
        var lines = (uint)(Length / 64);
        for (var line = 0U; line < lines; line++)
        {
            region.At<uint>(line * 64L) = ((line * 1_664_525) + 1_013_904_223) % lines; // one cycle through all lines
        }

        Report(output, "one load from memory", Loads, () =>
        {
            var at = 0U;
            for (var load = 0; load < Loads; load++)
            {
                at = region.At<uint>(at * 64L);
            }

            return at;
        });
    }

    private static long ResidentBytes()
    {
        using var self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
