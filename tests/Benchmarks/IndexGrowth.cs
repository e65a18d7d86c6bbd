using Aerie.Foundation;
using Aerie.Index;

namespace Aerie.Benchmarks;

/// Bytes per record at every size on the way, in steps of a tenth: the worst size counts, not a lucky one.
internal static class IndexGrowth
{
    public static void Run(int records)
    {
        using var index = new PrimaryIndex(new PrimaryIndexOptions());
        var next = 10_000.0;
        for (var number = 0; number < records; number++)
        {
            var digest = DigestSource.At((ulong)number);
            using var partition = index.Enter(digest.Partition);
            Invariant.Holds(index.TryInsert(digest, out _));
            if (number + 1 >= next)
            {
                var size = number + 1.0;
                Console.WriteLine($"{size,12:F0} records {index.UsedBytes / size,8:F2} B used {index.LiveBytes / size,8:F2} B live");
                next *= 1.1;
            }
        }
    }
}
