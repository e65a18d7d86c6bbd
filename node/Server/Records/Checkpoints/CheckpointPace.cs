namespace Aerie.Server.Records.Checkpoints;

/// What decides whether a checkpoint is worth its writing. TailBytes: appended since the last one was taken, which a restart
/// would have to read.
internal readonly record struct CheckpointNeed(
    bool HasCheckpoint, long CheckpointBytes, long TailBytes, bool IsEmpty, long SinceNanoseconds);

/// When to take the next checkpoint: a restart reads the last one and everything behind it. Taking one when the tail is four
/// times as long keeps what a restart reads below five times the checkpoint, and adds at most a quarter to what is written
/// (at twice, a steady load of 1 KB records spent two fifths of all its writing). Not more often than every ten seconds, so
/// that a small log under load does not do nothing else; and after two minutes whatever little has changed, so that a quiet
/// node starts at once.
internal static class CheckpointPace
{
    public const long SoonNanoseconds = 10_000_000_000;
    public const long LateNanoseconds = 120_000_000_000;
    public const int TailFactor = 4;

    /// After a start that read everything, and after a checkpoint that failed, the next one comes as soon as it may.
    public static bool IsDue(in CheckpointNeed need)
    {
        if (need.SinceNanoseconds < SoonNanoseconds)
        {
            return false;
        }

        return !need.HasCheckpoint
            ? !need.IsEmpty
            : need.TailBytes > 0
                && (need.SinceNanoseconds >= LateNanoseconds || need.TailBytes >= TailFactor * need.CheckpointBytes);
    }
}
