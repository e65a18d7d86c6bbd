using Aerie.Foundation;

namespace Aerie.Server.Records.Housekeeping;

/// What an eviction takes: all records that expire before Below, and of those from there to UpTo (exclusive) so many.
internal readonly record struct EvictionCut(uint Below, uint UpTo, long OfLastBucket)
{
    public bool IsNothing => UpTo == 0;
}

/// How many records expire when. Nobody knows the farthest void-time beforehand, so buckets begin one second wide and are
/// folded in two when a record lies beyond the last: one pass is enough, and the resolution follows what is there.
internal sealed class VoidTimeHistogram
{
    private long[] _counts = [];
    private uint _start;
    private int _shift;

    public long Total { get; private set; }

    public int BucketSeconds => 1 << _shift;

    public void Reset(uint nowSeconds, int buckets)
    {
        Invariant.Holds(buckets > 0);
        if (_counts.Length != buckets)
        {
            _counts = new long[buckets];
        }

        _counts.AsSpan().Clear();
        _start = nowSeconds;
        _shift = 0;
        Total = 0;
    }

    public void Add(uint voidTime)
    {
        var offset = voidTime > _start ? voidTime - _start : 0; // already due: the first to go
        while (offset >> _shift >= _counts.Length)
        {
            Fold();
        }

        _counts[offset >> _shift]++;
        Total++;
    }

    /// Cuts off so many tenths of a per cent, at least one record; those that expire soonest.
    public EvictionCut CutOff(long tenthsPercent)
    {
        var wanted = (long)(((Int128)Total * Math.Clamp(tenthsPercent, 0, 1000) + 999) / 1000);
        if (wanted == 0)
        {
            return default;
        }

        var before = 0L;
        var bucket = 0;
        while (before + _counts[bucket] < wanted)
        {
            before += _counts[bucket++];
        }

        return new EvictionCut(bucket == 0 ? 0 : EdgeOf(bucket), EdgeOf(bucket + 1), wanted - before);
    }

    private uint EdgeOf(int bucket) => (uint)Math.Min(_start + ((long)bucket << _shift), uint.MaxValue);

    private void Fold()
    {
        var half = (_counts.Length + 1) / 2;
        for (var i = 0; i < half; i++)
        {
            _counts[i] = _counts[2 * i] + ((2 * i) + 1 < _counts.Length ? _counts[(2 * i) + 1] : 0);
        }

        _counts.AsSpan(half).Clear();
        _shift++;
    }
}
