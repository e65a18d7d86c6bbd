namespace Aerie.Server.Records.Housekeeping;

/// One thing that a namespace does by itself, cut into pieces of a few microseconds (one leaf of the index, one image).
/// It decides when it is due and what its next piece is; how much of a core it gets is the housekeeper's business.
internal abstract class Chore
{
    public const long Never = long.MaxValue;

    /// What a sweep may use of one core when nothing is short.
    protected const int CalmSharePercent = 5;

    protected const long NanosecondsPerSecond = 1_000_000_000;

    /// The most of one core that it asks for while it is due.
    public virtual int SharePercent => CalmSharePercent;

    /// The monotonic time at which it wants to work; Never when nothing is to be done.
    public abstract long DueAt(long now);

    public abstract void DoPiece(Worker worker, long now);
}
