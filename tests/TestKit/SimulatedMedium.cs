using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.TestKit;

public enum DiskOperation
{
    Read,
    Write,
    Sync,
}

/// What one simulated file or raw device holds, and the faults that are planned for it. Any thread.
public sealed class SimulatedMedium
{
    /// What a disk writes whole or not at all.
    public const int Sector = 512;

    public const int ErrorIo = 5;
    public const int ErrorNoData = 61;
    public const int ErrorReadOnly = 30;
    public const int ErrorNoDevice = 19;

    private const int ChunkLength = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, byte[]> _chunks = [];
    private readonly List<UnsyncedWrite> _unsynced = [];
    private readonly List<Fault> _faults = [];
    private readonly List<SimulatedDevice> _open = [];
    private readonly long[] _operations = new long[3];

    internal SimulatedMedium(string path, int number, long length)
    {
        Path = path;
        Number = number;
        Length = length;
    }

    public string Path { get; }

    public long Length { get; private set; }

    /// Every call fails, opening too.
    public bool IsGone { get; set; }

    /// Writers are refused at opening, and writes of those that are there fail.
    public bool IsReadOnly { get; set; }

    /// Reads of engines stay pending. Reads that block are not held back.
    public bool HoldsReads { get; set; }

    /// Nothing is safe before a sync, even for who opened with DataSync: a disk that lies.
    public bool IgnoresSyncs { get; set; }

    /// Bytes that were written and would not surely survive a crash.
    public long UnsyncedBytes
    {
        get
        {
            lock (_gate)
            {
                return _unsynced.Sum(write => (long)write.After.Length);
            }
        }
    }

    public long Discards { get; private set; }

    internal int Number { get; }

    public long Count(DiskOperation operation) => Interlocked.Read(ref _operations[(int)operation]);

    /// The operations that touch the range fail: `times` of them, after `after` others. A write that fails has written an
    /// unknown part. A sync has no range.
    public void Fail(
        DiskOperation operation,
        long offset = 0,
        long length = long.MaxValue,
        int after = 0,
        int times = int.MaxValue,
        int error = ErrorIo)
    {
        lock (_gate)
        {
            _faults.Add(new Fault(operation, offset, length, error) { After = after, Times = times });
        }
    }

    /// Ends all planned faults. What was corrupted stays so.
    public void Heal()
    {
        lock (_gate)
        {
            _faults.Clear();
            IsGone = IsReadOnly = HoldsReads = IgnoresSyncs = false;
        }
    }

    /// Flips so many bits of the range, and tells nobody.
    public void Corrupt(long offset, int length, int seed, int bits = 1)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        lock (_gate)
        {
            Take(offset, bytes);
            foreach (var bit in Enumerable.Range(0, length * 8).OrderBy(_ => random.Next()).Take(bits))
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Put(offset, bytes);
        }
    }

    /// What the device holds, faults or not.
    public byte[] Peek(long offset, int length)
    {
        var bytes = new byte[length];
        lock (_gate)
        {
            Take(offset, bytes);
        }

        return bytes;
    }

    /// Puts bytes there that are safe at once.
    public void Poke(long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            Put(offset, bytes);
        }
    }

    internal SimulatedDevice Open(DeviceOrder order, int alignment)
    {
        lock (_gate)
        {
            if (IsGone)
            {
                throw new DeviceException($"{Path}: cannot open: No such device");
            }

            if (!order.ReadOnly && IsReadOnly)
            {
                throw new DeviceException($"{Path}: cannot open: Read-only file system");
            }

            if (!order.ReadOnly && _open.Exists(device => !device.IsReadOnly))
            {
                throw new DeviceException($"{Path}: cannot lock: in use by another process");
            }

            var device = new SimulatedDevice(this, order, order.Direct ? alignment : 1);
            _open.Add(device);
            return device;
        }
    }

    internal void CopyTo(SimulatedMedium other)
    {
        lock (_gate)
        {
            foreach (var (number, chunk) in _chunks)
            {
                other._chunks.Add(number, chunk.AsSpan().ToArray());
            }
        }
    }

    internal void Grow(long length)
    {
        lock (_gate)
        {
            Length = length;
        }
    }

    internal void Close(SimulatedDevice device)
    {
        lock (_gate)
        {
            _open.Remove(device);
        }
    }

    /// Zero or an errno, as of all below.
    internal int Read(SimulatedDevice by, long offset, Span<byte> into)
    {
        lock (_gate)
        {
            if (ErrorOf(by, DiskOperation.Read, offset, into.Length) is var error and not 0)
            {
                return error;
            }

            Take(offset, into);
            return 0;
        }
    }

    internal int Write(SimulatedDevice by, long offset, ReadOnlySpan<byte> from)
    {
        lock (_gate)
        {
            var error = by.IsReadOnly || IsReadOnly ? ErrorReadOnly : ErrorOf(by, DiskOperation.Write, offset, from.Length);
            if (error is ErrorReadOnly or ErrorNoData or ErrorNoDevice)
            {
                return error;
            }

            var before = new byte[from.Length];
            Take(offset, before);
            var write = new UnsyncedWrite(offset, before, from.ToArray());
            if (error != 0)
            {
                // how far it came follows from the number of the operation, so that a run can be repeated
                Apply(write, new Random((int)_operations[(int)DiskOperation.Write]));
                _unsynced.Add(write with { After = Peeked(offset, from.Length) });
                return error;
            }

            Put(offset, from);
            if (!by.IsDataSync || IgnoresSyncs)
            {
                _unsynced.Add(write);
            }
            else
            {
                _unsynced.ForEach(earlier => earlier.IsOverwritten(offset, write.After));
            }

            return 0;
        }
    }

    internal int Sync(SimulatedDevice by)
    {
        lock (_gate)
        {
            var error = ErrorOf(by, DiskOperation.Sync, 0, 0);
            if (error == 0 && !IgnoresSyncs)
            {
                _unsynced.Clear();
            }

            return error;
        }
    }

    internal void Discard() => Discards++;

    internal void Crash(Random random)
    {
        lock (_gate)
        {
            for (var i = _unsynced.Count - 1; i >= 0; i--)
            {
                Put(_unsynced[i].Offset, _unsynced[i].Before);
            }

            var writes = _unsynced.ToArray();
            random.Shuffle(writes);
            foreach (var write in writes)
            {
                Apply(write, random);
            }

            _unsynced.Clear();
            _open.ForEach(device => device.Die());
            _open.Clear();
        }
    }

    // All, nothing, or each sector by chance.
    private void Apply(UnsyncedWrite write, Random random)
    {
        var fate = random.Next(3);
        for (var at = 0; at < write.After.Length; at += Sector)
        {
            if (fate == 1 || (fate == 2 && random.Next(2) == 0))
            {
                Put(write.Offset + at, write.After.AsSpan(at, Math.Min(Sector, write.After.Length - at)));
            }
        }
    }

    private int ErrorOf(SimulatedDevice by, DiskOperation operation, long offset, int length)
    {
        _operations[(int)operation]++;
        if (IsGone || by.IsDead)
        {
            return ErrorNoDevice;
        }

        if (offset + length > Length)
        {
            return ErrorNoData;
        }

        foreach (var fault in _faults)
        {
            if (fault.Hits(operation, offset, length))
            {
                return fault.Error;
            }
        }

        return 0;
    }

    // ---- bytes ----

    private byte[] Peeked(long offset, int length)
    {
        var bytes = new byte[length];
        Take(offset, bytes);
        return bytes;
    }

    private void Take(long offset, Span<byte> into)
    {
        Invariant.Holds(offset >= 0 && offset + into.Length <= Length);
        while (into.Length > 0)
        {
            var at = (int)(offset % ChunkLength);
            var count = Math.Min(into.Length, ChunkLength - at);
            if (_chunks.TryGetValue(offset / ChunkLength, out var chunk))
            {
                chunk.AsSpan(at, count).CopyTo(into);
            }
            else
            {
                into[..count].Clear();
            }

            into = into[count..];
            offset += count;
        }
    }

    private void Put(long offset, ReadOnlySpan<byte> from)
    {
        Invariant.Holds(offset >= 0 && offset + from.Length <= Length);
        while (from.Length > 0)
        {
            var at = (int)(offset % ChunkLength);
            var count = Math.Min(from.Length, ChunkLength - at);
            if (!_chunks.TryGetValue(offset / ChunkLength, out var chunk))
            {
                chunk = new byte[ChunkLength];
                _chunks.Add(offset / ChunkLength, chunk);
            }

            from[..count].CopyTo(chunk.AsSpan(at));
            from = from[count..];
            offset += count;
        }
    }

    private sealed record UnsyncedWrite(long Offset, byte[] Before, byte[] After)
    {
        /// What is safe there now is no longer this write's to lose.
        public void IsOverwritten(long offset, ReadOnlySpan<byte> safe)
        {
            var from = Math.Max(Offset, offset);
            var end = Math.Min(Offset + After.Length, offset + safe.Length);
            if (from < end)
            {
                var bytes = safe[(int)(from - offset)..(int)(end - offset)];
                bytes.CopyTo(Before.AsSpan((int)(from - Offset)));
                bytes.CopyTo(After.AsSpan((int)(from - Offset)));
            }
        }
    }

    private sealed record Fault(DiskOperation Operation, long Offset, long Length, int Error)
    {
        public int After { get; set; }

        public int Times { get; set; }

        public bool Hits(DiskOperation operation, long offset, int length)
        {
            var touches = operation == DiskOperation.Sync || (offset - Offset < Length && offset + length > Offset);
            if (operation != Operation || !touches || Times == 0)
            {
                return false;
            }

            if (After > 0)
            {
                After--;
                return false;
            }

            Times--;
            return true;
        }
    }
}
