using System.Globalization;

namespace Aerie.Server.Records.Restart;

public enum RestartPhase
{
    /// Every block is read.
    Scanning,

    /// Which blocks there are.
    Headers,

    /// The index as it was.
    Checkpoint,

    /// What was written since.
    Tail,
}

/// How far the restart of one namespace has come. Written by the threads that work, read by anyone.
public sealed class RestartProgress(string name)
{
    private int _phase;
    private long _blocksDone;
    private long _blocks;
    private long _records;
    private long _bytes;
    private long _damagedRanges;
    private long _damagedBytes;
    private long _beganAt;

    public string Namespace => name;

    public RestartPhase Phase => (RestartPhase)Volatile.Read(ref _phase);

    /// Of this phase, as all below but the damage.
    public long Blocks => Volatile.Read(ref _blocks);

    public long BlocksDone => Volatile.Read(ref _blocksDone);

    /// Images read, older versions among them, or rows of the checkpoint.
    public long Records => Volatile.Read(ref _records);

    public long Bytes => Volatile.Read(ref _bytes);

    public long DamagedRanges => Volatile.Read(ref _damagedRanges);

    public long DamagedBytes => Volatile.Read(ref _damagedBytes);

    public int Percent => Blocks == 0 ? 100 : (int)(BlocksDone * 100 / Blocks);

    internal void Begin(RestartPhase phase, long blocks, long now)
    {
        Volatile.Write(ref _blocksDone, 0);
        Volatile.Write(ref _records, 0);
        Volatile.Write(ref _bytes, 0);
        Volatile.Write(ref _blocks, blocks);
        Volatile.Write(ref _beganAt, now);
        Volatile.Write(ref _phase, (int)phase);
    }

    internal void Add(long records, long bytes, long blocks = 1)
    {
        Interlocked.Add(ref _records, records);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Add(ref _blocksDone, blocks);
    }

    internal void AddDamage(long bytes)
    {
        Interlocked.Increment(ref _damagedRanges);
        Interlocked.Add(ref _damagedBytes, bytes);
    }

    /// One line for the log: what is done, how fast, how long it still takes.
    internal string Line(long now)
    {
        var seconds = Math.Max((now - Volatile.Read(ref _beganAt)) / 1e9, 1e-3);
        var done = BlocksDone;
        var left = done == Blocks ? "0 s" : done == 0 ? "unknown" : $"{(long)(seconds * (Blocks - done) / done)} s";
        var phase = Phase switch
        {
            RestartPhase.Headers => "looking at blocks",
            RestartPhase.Checkpoint => "loading the checkpoint",
            RestartPhase.Tail => "reading what came after the checkpoint",
            _ => "reading all blocks",
        };
        var what = Phase == RestartPhase.Checkpoint ? "partitions" : "blocks";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{{{name}}} restart: {phase}, {done} of {Blocks} {what} ({Percent} %), {Records} records, {Records / seconds:F0} records/s, "
            + $"{Bytes / seconds / 1e6:F0} MB/s, {left} to go");
    }
}
