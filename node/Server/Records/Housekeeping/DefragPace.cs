using Aerie.Storage;

namespace Aerie.Server.Records.Housekeeping;

/// What the log looks like to whoever decides how hard to defragment it.
internal readonly record struct LogRoom(int BlockCount, int FreeBlocks, int Cursors, int DefragLwmPct, int AvailPctMin, long SleepUs);

/// How hard to defragment. With enough free blocks: only what is below defrag-lwm-pct, at leisure. The fewer blocks are
/// free, the fuller a block may be that is worth moving, the shorter the rests and the larger the share of a core. A fixed
/// mark alone would let a log run out that is fuller than about 70 %, because overwriting leaves no block below the mark.
/// Clients are faster than one core that moves records: below PauseBelow free blocks their writes are slowed down.
internal readonly record struct DefragPace(int BelowPct, int SharePercent, long RestNanoseconds, RoomMarks Marks)
{
    /// Moving a block fuller than this gains too little for what it costs.
    private const int BelowPctMax = 92;

    /// Free blocks above `stop-writes-avail-pct` at which the hurry begins, at which it can grow no more, and at which writes
    /// are slowed down: never before all was done to avoid that.
    private const int MarginPct = 5;
    private const int AllOutMarginPct = 3;
    private const int PauseMarginPct = 2;

    private const int CalmSharePercent = 5;

    public bool IsHurried => SharePercent > CalmSharePercent;

    public static DefragPace Of(in LogRoom room)
    {
        // All out before writes stop; every cursor may open a block at any moment.
        var least = Math.Max(RecordLog.BlocksReservedForDefrag + 1, BlocksFor(room.BlockCount, room.AvailPctMin));
        var pause = Math.Max(least + room.Cursors, BlocksFor(room.BlockCount, room.AvailPctMin + PauseMarginPct));
        var allOut = Math.Max(pause + 1, BlocksFor(room.BlockCount, room.AvailPctMin + AllOutMarginPct));
        var enough = Math.Max(allOut + room.Cursors, BlocksFor(room.BlockCount, room.AvailPctMin + MarginPct));
        var shortage = Math.Clamp((enough - room.FreeBlocks) / (double)(enough - allOut), 0, 1);
        var below = room.DefragLwmPct + (int)(Math.Max(0, BelowPctMax - room.DefragLwmPct) * shortage);
        var share = CalmSharePercent + (int)((100 - CalmSharePercent) * shortage);
        return new DefragPace(below, share, (long)(room.SleepUs * 1000 * (1 - shortage)), new RoomMarks(least, pause));
    }

    private static int BlocksFor(int blockCount, int percent) => (int)((((long)blockCount * percent) + 99) / 100);
}
