using System.Runtime.InteropServices;
using Aerie.Foundation;
using Aerie.Storage;

namespace Aerie.Benchmarks;

/// What the record log costs per image of 144 bytes (100-byte value, three-letter bin, set), on one thread. The baseline is
/// the naive store that it replaces: a managed dictionary of byte arrays.
public static class StorageBenchmark
{
    private const int Records = 1_000_000;
    private const int Bytes = 144;
    private const byte StringParticle = 3;

    public static void Run(TextWriter output)
    {
        var locations = new RecordLocation[Records];
        using var log = new RecordLog(new RecordLogOptions(), new MemoryBacking(64L * IBlockBacking.BlockLength));
        Report(output, "append, pages untouched", Records, () => AppendAll(log, locations));
        Report(output, "overwrite (append, release), pages warm", Records, () => OverwriteAll(log, locations));
        Report(output, "  of it reserving and committing room", Records, () => ReserveAll(log));
        Report(output, "read in order (location to header)", Records, () => ReadAll(log, locations));
        var shuffled = locations.ToArray();
        new Random(1).Shuffle(shuffled);
        Report(output, "read at random (location to header)", Records, () => ReadAll(log, shuffled));
        Report(output, "read at random with checksum", Records, () => VerifyAll(log, shuffled));
        Defragment(output, log, locations);
        BaselineDictionary(output);
    }

    /// Every fourth record stays: blocks fall to 25 %, and each victim moves some 14 500 images.
    private static void Defragment(TextWriter output, RecordLog log, RecordLocation[] locations)
    {
        for (var id = 0; id < Records; id++)
        {
            if (id % 4 != 0)
            {
                log.Release(locations[id]);
                locations[id] = RecordLocation.None;
            }
        }

        var free = log.FreeBlocks;
        var moved = 0;
        var elapsed = Measure(() => moved = DefragAll(log, locations));
        output.WriteLine($"{"defrag, per image moved",-44}{elapsed / Math.Max(moved, 1),10:F1} ns");
        output.WriteLine($"{"defrag, per block gained",-44}{elapsed / 1e6 / Math.Max(log.FreeBlocks - free, 1),10:F2} ms");
    }

    private static void AppendAll(RecordLog log, RecordLocation[] locations)
    {
        Span<byte> value = stackalloc byte[100];
        value.Fill((byte)'v');
        for (var i = 0; i < locations.Length; i++)
        {
            locations[i] = Append(log, i, value);
        }
    }

    private static void OverwriteAll(RecordLog log, RecordLocation[] locations)
    {
        Span<byte> value = stackalloc byte[100];
        value.Fill((byte)'w');
        for (var i = 0; i < locations.Length; i++)
        {
            var old = locations[i];
            locations[i] = Append(log, i, value);
            log.Release(old);
        }
    }

    private static void ReserveAll(RecordLog log)
    {
        for (var i = 0; i < Records; i++)
        {
            log.TryAppend(0, Bytes, out var location, out _);
            log.Abandon(location);
        }
    }

    private static RecordLocation Append(RecordLog log, int id, ReadOnlySpan<byte> value)
    {
        Span<byte> digest = stackalloc byte[Digest.Length];
        digest.Clear();
        MemoryMarshal.Write(digest, id);
        Invariant.Holds(log.TryAppend(0, Bytes, out var location, out var target));
        var header = new RecordImageHeader { Digest = new Digest(digest), LastUpdateTime = 1, Generation = 1, SetId = 1 };
        var writer = new RecordImageWriter(target, header, 1);
        writer.AddBin("bin"u8, StringParticle, value);
        return log.Commit(location, writer.Finish());
    }

    private static void ReadAll(RecordLog log, RecordLocation[] locations)
    {
        var sum = 0;
        foreach (var location in locations)
        {
            Invariant.Holds(log.TryRead(0, location, out var image));
            Invariant.Holds(RecordImageReader.TryOpen(image, out var reader));
            sum += reader.Generation;
        }

        Invariant.Holds(sum == locations.Length);
    }

    private static void VerifyAll(RecordLog log, RecordLocation[] locations)
    {
        foreach (var location in locations)
        {
            Invariant.Holds(log.TryRead(0, location, out var image) && RecordImageReader.TryOpen(image, out var reader) && reader.Verify());
        }
    }

    private static int DefragAll(RecordLog log, RecordLocation[] locations)
    {
        var moved = 0;
        while (log.TryPickVictim(out var victim))
        {
            using (victim)
            {
                while (victim.TryNext(out var image, out var location))
                {
                    var id = MemoryMarshal.Read<int>(image[RecordImage.DigestOffset..]);
                    if (locations[id] == location)
                    {
                        locations[id] = Move(log, image, location);
                        moved++;
                    }
                }
            }
        }

        return moved;
    }

    private static RecordLocation Move(RecordLog log, ReadOnlySpan<byte> image, RecordLocation from)
    {
        Invariant.Holds(log.TryAppend(log.DefragWriter, image.Length, out var to, out var target));
        image.CopyTo(target);
        log.Release(from);
        return log.Commit(to, to.Units);
    }

    private static void BaselineDictionary(TextWriter output)
    {
        var store = new Dictionary<int, byte[]>(Records);
        Report(output, "baseline: Dictionary of byte[], insert", Records, () =>
        {
            for (var i = 0; i < Records; i++)
            {
                store[i] = new byte[Bytes];
            }
        });
    }

    private static void Report(TextWriter output, string what, int operations, Action run) =>
        output.WriteLine($"{what,-44}{Measure(run) / operations,10:F1} ns");

    /// Nanoseconds of processor time: on a shared machine the clock on the wall measures the neighbours.
    private static double Measure(Action run)
    {
        var before = Environment.CpuUsage.TotalTime;
        run();
        return (Environment.CpuUsage.TotalTime - before).TotalNanoseconds;
    }
}
