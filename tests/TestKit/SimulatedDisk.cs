using Aerie.Foundation;
using Aerie.Io;

namespace Aerie.TestKit;

/// The files and raw devices of a simulated machine, in memory. They outlive whoever opened them, and a loss of power.
public sealed class SimulatedDisk : IBlockDevices
{
    private readonly SortedDictionary<string, SimulatedMedium> _media = new(StringComparer.Ordinal);

    /// Of all devices opened from now on; 1 stands for a file system without direct I/O.
    public int Alignment { get; set; } = Aerie.Memory.Page.Length;

    /// Bytes that files may still take.
    public long Room { get; set; } = long.MaxValue;

    public SimulatedMedium this[string path] => _media[path];

    /// A raw device of this length, all zero.
    public SimulatedMedium Add(string path, long length)
    {
        var medium = new SimulatedMedium(path, _media.Count + 1, length);
        _media.Add(path, medium);
        return medium;
    }

    /// Another disk that holds the same, all of it safe.
    public SimulatedDisk Copy()
    {
        var copy = new SimulatedDisk { Alignment = Alignment, Room = Room };
        foreach (var (path, medium) in _media)
        {
            medium.CopyTo(copy.Add(path, medium.Length));
        }

        return copy;
    }

    public bool Remove(string path) => _media.Remove(path);

    IBlockDevice IBlockDevices.Open(DeviceOrder order) => Open(order);

    public SimulatedDevice Open(DeviceOrder order)
    {
        if (!_media.TryGetValue(order.Path, out var medium))
        {
            if (order.CreateLength == 0 || order.ReadOnly)
            {
                throw new DeviceException($"{order.Path}: cannot open: No such file or directory");
            }

            TakeRoom(order, 0);
            medium = Add(order.Path, order.CreateLength);
        }
        else if (medium.Length < order.CreateLength && !order.ReadOnly)
        {
            TakeRoom(order, medium.Length);
            medium.Grow(order.CreateLength);
        }

        return medium.Open(order, Alignment);
    }

    /// The power fails and comes back: of what was written since the last sync, each write may be there, or not, or in part
    /// (sectors of 512 bytes), in any order. Whatever was open is dead and must be opened again.
    public void Crash(int seed)
    {
        var random = new Random(seed);
        foreach (var medium in _media.Values)
        {
            medium.Crash(random);
        }
    }

    private void TakeRoom(DeviceOrder order, long before)
    {
        var needed = order.CreateLength - before;
        if (needed > Room)
        {
            throw DeviceException.Of(order.Path, "allocate", before, needed, "No space left on device");
        }

        Invariant.Holds(needed >= 0);
        Room -= Room == long.MaxValue ? 0 : needed;
    }
}
