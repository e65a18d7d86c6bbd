namespace Aerie.Server.Records.Restart;

/// How far the restart of one namespace has come. Written by the threads that scan, read by anyone.
public sealed class RestartProgress(string name)
{
    private long _blocksDone;
    private long _blocks;
    private long _records;
    private long _bytes;
    private long _damagedRanges;
    private long _damagedBytes;
    private long _beganAt;

    public string Namespace => name;

    public long Blocks => Volatile.Read(ref _blocks);

    public long BlocksDone => Volatile.Read(ref _blocksDone);

    /// Images read, older versions among them.
    public long Records => Volatile.Read(ref _records);

    public long Bytes => Volatile.Read(ref _bytes);

    public long DamagedRanges => Volatile.Read(ref _damagedRanges);

    public long DamagedBytes => Volatile.Read(ref _damagedBytes);

    public int Percent => Blocks == 0 ? 100 : (int)(BlocksDone * 100 / Blocks);

    internal void Begin(long blocks, long now)
    {
        Volatile.Write(ref _blocks, blocks);
        Volatile.Write(ref _beganAt, now);
    }

    internal void Add(long records, long bytes)
    {
        Interlocked.Add(ref _records, records);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Increment(ref _blocksDone);
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
        var left = done == 0 ? "unknown" : $"{(long)(seconds * (Blocks - done) / done)} s";
        return string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{{{name}}} restart: {done} of {Blocks} blocks ({Percent} %), {Records} records, {Records / seconds:F0} records/s, "
            + $"{Bytes / seconds / 1e6:F0} MB/s, {left} to go");
    }
}
