using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;

namespace Aerie.TestKit;

/// A simulated file or raw device that somebody opened.
public sealed class SimulatedDevice : IBlockDevice
{
    private readonly SimulatedMedium _medium;

    internal SimulatedDevice(SimulatedMedium medium, DeviceOrder order, int alignment)
    {
        _medium = medium;
        Alignment = alignment;
        IsReadOnly = order.ReadOnly;
        IsDataSync = order.DataSync;
        Length = medium.Length;
    }

    public string Path => _medium.Path;

    public long Length { get; }

    public int Alignment { get; }

    public int File => _medium.Number;

    internal bool IsReadOnly { get; }

    internal bool IsDataSync { get; }

    internal bool HoldsReads => _medium.HoldsReads && !IsDead;

    /// Closed, or from before a crash.
    internal bool IsDead { get; private set; }

    public void Read(long offset, Span<byte> into)
    {
        Check(offset, into);
        Tell("read", offset, into.Length, _medium.Read(this, offset, into));
    }

    public void Write(long offset, ReadOnlySpan<byte> from)
    {
        Check(offset, from);
        Tell("write", offset, from.Length, _medium.Write(this, offset, from));
    }

    public void Sync()
    {
        var error = _medium.Sync(this);
        if (error != 0)
        {
            throw new DeviceException($"{Path}: cannot sync: {Reason(error)}");
        }
    }

    public void Discard(long offset, long length) => _medium.Discard();

    public void Dispose()
    {
        IsDead = true;
        _medium.Close(this);
    }

    internal int TryRead(long offset, Span<byte> into) => _medium.Read(this, offset, into);

    internal void Die() => IsDead = true;

    private void Check(long offset, ReadOnlySpan<byte> memory)
    {
        Invariant.Holds(offset >= 0);
        Invariant.Holds(Alignment == 1 || (Page.StartsAt(memory) && (offset | (uint)memory.Length) % Alignment == 0));
    }

    private void Tell(string operation, long offset, int length, int error)
    {
        if (error != 0)
        {
            throw DeviceException.Of(Path, operation, offset, length, Reason(error));
        }
    }

    private string Reason(int error) => error switch
    {
        SimulatedMedium.ErrorIo => "Input/output error",
        SimulatedMedium.ErrorNoData => $"it ends at {Length}",
        SimulatedMedium.ErrorReadOnly => "Read-only file system",
        SimulatedMedium.ErrorNoDevice => "No such device",
        _ => $"error {error}",
    };
}
