namespace Aerie.Server.Records;

/// Free blocks below which each write of a client waits for a moment, longer the fewer there are, so that the defragmenter
/// keeps up; and those at which it waits longest. Not waiting would end with writes that are refused.
internal readonly record struct RoomMarks(int Least, int PauseBelow)
{
    private const double ShortestNanoseconds = 200_000;
    private const double Longest = 250; // times the shortest

    public long PauseNanoseconds(int freeBlocks)
    {
        if (freeBlocks >= PauseBelow)
        {
            return 0;
        }

        var shortage = Math.Min(1, (PauseBelow - freeBlocks) / (double)(PauseBelow - Least));
        return (long)(ShortestNanoseconds * Math.Pow(Longest, shortage));
    }
}
