using System.Text;
using Aerie.Foundation;

namespace Aerie.Server.Records;

/// One set of a namespace. The id is what index entries and images carry; it is never given to another name.
public sealed class RecordSet(ushort id, byte[] name)
{
    private long _truncateCut;
    private long _truncateSwept;
    private long _truncation;

    public ushort Id { get; } = id;

    public ReadOnlySpan<byte> Name => name;

    public string Text { get; } = Encoding.UTF8.GetString(name);

    /// Records of the set last updated before this are gone. 0: no truncation.
    public ulong TruncateCut
    {
        get => (ulong)Volatile.Read(ref _truncateCut);
        set => Volatile.Write(ref _truncateCut, (long)value);
    }

    /// Cuts up to this have been swept; as that of the namespace.
    public ulong TruncateSwept
    {
        get => (ulong)Volatile.Read(ref _truncateSwept);
        internal set => Volatile.Write(ref _truncateSwept, (long)value);
    }

    /// Number of the namespace's truncation that cut this set last; 0: none.
    internal long Truncation => Volatile.Read(ref _truncation);

    internal void NoteTruncation(long number) => Volatile.Write(ref _truncation, number);
}

/// Names of sets to ids and back. Reading takes no lock: additions publish a new snapshot. Ids run from 1; 0 means that a
/// record has no set.
public sealed class SetTable
{
    /// The id has 12 bits in the index entry.
    public const int SetsMax = 4095;

    public const int NameLengthMax = 63;

    private readonly Lock _adding = new();
    private volatile Snapshot _snapshot = new(new RecordSet?[16], [null]);

    public int Count => _snapshot.ById.Length - 1;

    public RecordSet this[int id] => _snapshot.ById[id]!;

    public bool TryFind(ReadOnlySpan<byte> name, out RecordSet set)
    {
        var table = _snapshot.ByName;
        for (var at = Hash(name); ; at++)
        {
            var candidate = table[at & (table.Length - 1)];
            if (candidate is null || candidate.Name.SequenceEqual(name))
            {
                set = candidate!;
                return candidate is not null;
            }
        }
    }

    /// Finds the set or makes it. False when the name is too long or all ids are given out.
    public bool TryFindOrAdd(ReadOnlySpan<byte> name, out RecordSet set) =>
        TryFind(name, out set) || (name.Length is > 0 and <= NameLengthMax && TryAdd(name, out set));

    private bool TryAdd(ReadOnlySpan<byte> name, out RecordSet set)
    {
        lock (_adding)
        {
            if (TryFind(name, out set))
            {
                return true;
            }

            var current = _snapshot;
            if (current.ById.Length > SetsMax)
            {
                return false;
            }

            set = new RecordSet((ushort)current.ById.Length, name.ToArray());
            RecordSet?[] byId = [.. current.ById, set];
            var byName = new RecordSet?[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)byId.Length * 2 + 14)];
            foreach (var known in byId.AsSpan(1))
            {
                var at = Hash(known!.Name);
                while (byName[at & (byName.Length - 1)] is not null)
                {
                    at++;
                }

                byName[at & (byName.Length - 1)] = known;
            }

            _snapshot = new Snapshot(byName, byId);
            return true;
        }
    }

    private static int Hash(ReadOnlySpan<byte> name) => (int)(Crc32C.Of(name) & 0x3FFF_FFFF);

    private sealed record Snapshot(RecordSet?[] ByName, RecordSet?[] ById);
}

/// Per set and thread: how many records, tombstones and bytes. Each thread owns a stripe, as with other counters.
public sealed class SetCounters(int stripes)
{
    private const int Objects = 0;
    private const int Tombstones = 1;
    private const int Bytes = 2;
    private const int PerSet = 4;

    private readonly long[][] _stripes = [.. Enumerable.Range(0, stripes).Select(_ => new long[(SetTable.SetsMax + 1) * PerSet])];

    public void Add(int stripe, int set, long objects, long tombstones, long bytes)
    {
        var row = _stripes[stripe].AsSpan(set * PerSet, PerSet);
        row[Objects] += objects;
        row[Tombstones] += tombstones;
        row[Bytes] += bytes;
    }

    public long ObjectsOf(int set) => Sum(set, Objects);

    public long TombstonesOf(int set) => Sum(set, Tombstones);

    public long BytesOf(int set) => Sum(set, Bytes);

    private long Sum(int set, int counter)
    {
        long sum = 0;
        foreach (var stripe in _stripes)
        {
            sum += Volatile.Read(ref stripe[(set * PerSet) + counter]);
        }

        return sum;
    }
}
