namespace Aerie.Server.Records.Flushing;

/// What waits for a flush.
internal readonly record struct FlushNeed(
    long UnflushedBytes, long SinceFlushNanoseconds, bool IsAsked, int QuarantinedBlocks, int FreeBlocks, int Cursors);

/// When to flush next. A flush costs the device much the same however little it writes: so not before `flush-size` has come
/// together or `flush-max-ms` are over, unless somebody waits for it: a commit, a truncation, or a log that is short of
/// blocks which only a flush sets free.
internal static class FlushPace
{
    public const long Never = long.MaxValue;

    private const long NanosecondsPerMillisecond = 1_000_000;

    /// Nanoseconds until the next flush; 0: now; Never: nothing to write. `flush-max-ms` 0: by size alone.
    public static long Until(in FlushNeed need, long flushSize, int flushMaxMs)
    {
        var isShort = need.QuarantinedBlocks > 0 && need.FreeBlocks <= need.Cursors + Storage.RecordLog.BlocksReservedForDefrag;
        if (need.IsAsked || isShort || need.UnflushedBytes >= flushSize)
        {
            return 0;
        }

        var waits = need.UnflushedBytes > 0 || need.QuarantinedBlocks > 0;
        return !waits || flushMaxMs == 0
            ? Never
            : Math.Max(0, (flushMaxMs * NanosecondsPerMillisecond) - need.SinceFlushNanoseconds);
    }
}
