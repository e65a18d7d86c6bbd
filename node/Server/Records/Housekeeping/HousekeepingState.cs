namespace Aerie.Server.Records.Housekeeping;

/// What housekeeping found out and did in one namespace, for statistics. Written by the housekeeper alone, read by any
/// thread. What it counts (expired_objects, evicted_objects, truncated_objects) is among the namespace's counters.
public sealed class HousekeepingState
{
    private long _evictVoidTime;
    private long _evictTtl;
    private long _cycleSeconds;
    private double _cycleDeletedPercent;
    private long _cycles;
    private volatile bool _hwmBreached;

    /// `hwm_breached`: so full that eviction is due.
    public bool HwmBreached
    {
        get => _hwmBreached;
        internal set => _hwmBreached = value;
    }

    /// `evict_void_time`: records that expire before this were to go in the last eviction; seconds since 2010.
    public long EvictVoidTime
    {
        get => Volatile.Read(ref _evictVoidTime);
        internal set => Volatile.Write(ref _evictVoidTime, value);
    }

    /// `evict_ttl`: the same, from the time of that eviction.
    public long EvictTtl
    {
        get => Volatile.Read(ref _evictTtl);
        internal set => Volatile.Write(ref _evictTtl, value);
    }

    /// `nsup_cycle_duration`, in seconds.
    public long NsupCycleDuration
    {
        get => Volatile.Read(ref _cycleSeconds);
        internal set => Volatile.Write(ref _cycleSeconds, value);
    }

    /// `nsup_cycle_deleted_pct`: what the last cycle removed of the objects that it found.
    public double NsupCycleDeletedPct
    {
        get => Volatile.Read(ref _cycleDeletedPercent);
        internal set => Volatile.Write(ref _cycleDeletedPercent, value);
    }

    /// Cycles of expiry and eviction completed.
    public long NsupCycles
    {
        get => Volatile.Read(ref _cycles);
        internal set => Volatile.Write(ref _cycles, value);
    }
}
