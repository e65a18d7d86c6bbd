using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Config;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Statistics;

/// How old records get and how large they are, of one namespace. Found by sweeping the index in small steps between which
/// everybody else goes on; readers see the last whole sweep. Off the event loops: the ticker's thread steps it.
public sealed class RecordHistograms(Namespace records)
{
    public const int TtlBuckets = 100;

    /// Linear buckets of object sizes: 1024 up to 8 MiB.
    public const int LinearBuckets = 1024;
    public const int LinearWidth = 8192;

    /// Powers of two of 16 bytes and more.
    public const int LogBuckets = 24;

    private readonly EntryHandle[] _handles = new EntryHandle[PrimaryIndex.LeafCapacity];
    private Sweep? _sweep;
    private RecordHistogramsSnapshot? _latest;

    /// Null until the first sweep is done.
    public RecordHistogramsSnapshot? Latest => Volatile.Read(ref _latest);

    public bool IsSweeping => _sweep is not null;

    /// `ttlMax` is where the last bucket of lives ends, in seconds.
    public void Begin(long ttlMax) => _sweep = new Sweep(Math.Max(1, (ttlMax + TtlBuckets - 1) / TtlBuckets));

    /// Sweeps for about so long. True when the sweep is done.
    public bool Step(IClock clock, long nanosecondsMax)
    {
        if (_sweep is not { } sweep)
        {
            return true;
        }

        var end = clock.MonotonicNanoseconds + nanosecondsMax;
        var now = CitrusTime.Seconds(clock.UnixMilliseconds);
        while (sweep.Partition < Digest.PartitionCount)
        {
            CountLeaf(sweep, now);
            if (clock.MonotonicNanoseconds >= end)
            {
                return false;
            }
        }

        Volatile.Write(ref _latest, sweep.Result);
        _sweep = null;
        return true;
    }

    private void CountLeaf(Sweep sweep, uint now)
    {
        using (records.Index.Enter(sweep.Partition))
        {
            var count = records.Index.NextLeaf(sweep.Partition, ref sweep.Cursor, _handles);
            foreach (var handle in _handles.AsSpan(0, count))
            {
                ref var entry = ref records.Index[handle];
                if (records.IsLive(entry, now))
                {
                    sweep.Result.Add(entry.VoidTime == CitrusTime.NeverExpires ? null : entry.VoidTime - now,
                        new RecordLocation(entry.Place).Length);
                }
            }
        }

        if (sweep.Cursor.IsAtEnd)
        {
            sweep.Partition++;
            sweep.Cursor = default;
        }
    }

    private sealed class Sweep(long ttlWidth)
    {
        public int Partition;
        public IndexCursor Cursor;

        public RecordHistogramsSnapshot Result { get; } = new(ttlWidth);
    }
}

/// One sweep's result.
public sealed class RecordHistogramsSnapshot(long ttlWidth)
{
    /// Seconds per bucket.
    public long TtlWidth => ttlWidth;

    /// Records that never expire are in none.
    public long[] Ttl { get; } = new long[RecordHistograms.TtlBuckets];

    public long[] SizeLinear { get; } = new long[RecordHistograms.LinearBuckets];

    /// Bucket i: from 2^i bytes to below 2^(i+1).
    public long[] SizeLog { get; } = new long[RecordHistograms.LogBuckets];

    internal void Add(uint? life, int size)
    {
        if (life is { } seconds)
        {
            Ttl[Math.Min(seconds / ttlWidth, RecordHistograms.TtlBuckets - 1)]++;
        }

        SizeLinear[Math.Min(size / RecordHistograms.LinearWidth, RecordHistograms.LinearBuckets - 1)]++;
        SizeLog[Math.Min(System.Numerics.BitOperations.Log2((uint)Math.Max(size, 1)), RecordHistograms.LogBuckets - 1)]++;
    }
}
