namespace Aerie.Server.Query;

/// Holds a query to so many records per second. Each record moves the moment at which the next is due; a query that could
/// not run for a while may catch up on a tenth of a second, no more.
internal struct RecordRate(uint perSecond, long now)
{
    /// A limit above a record per microsecond is none.
    private const uint UnlimitedFrom = 1_000_000;

    private const long CatchUpNanoseconds = 100_000_000;

    /// Waking up for each single record would cost more than the record.
    private const long NapMin = 10_000_000;

    private readonly long _interval = perSecond is 0 or >= UnlimitedFrom ? 0 : 1_000_000_000 / perSecond;
    private long _nextDue = now;

    /// Records that may be returned now.
    public long Allowance(long now)
    {
        if (_interval == 0)
        {
            return long.MaxValue;
        }

        _nextDue = Math.Max(_nextDue, now - CatchUpNanoseconds);
        return now < _nextDue ? 0 : ((now - _nextDue) / _interval) + 1;
    }

    public void Returned(long records) => _nextDue += records * _interval;

    /// When it is worth to look again.
    public readonly long WakeAt(long now) => Math.Max(_nextDue, now + NapMin);
}
