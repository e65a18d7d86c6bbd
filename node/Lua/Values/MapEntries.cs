using System.Buffers;
using Aerie.Lua.Native;

namespace Aerie.Lua.Values;

/// The entries of a map. Small maps that came packed are searched as they lie; larger ones are sorted by key at the first
/// search, and every map before it is walked.
internal readonly unsafe ref struct MapEntries(Elements elements)
{
    private const int UnsortedMax = 8;
    private const int SlotsPerEntry = 2;

    private readonly Elements _elements = elements;

    public int Count => _elements.Box->Count;

    public Elements Elements => _elements;

    public static int KeySlot(int entry) => SlotsPerEntry * entry;

    public static int ValueSlot(int entry) => (SlotsPerEntry * entry) + 1;

    /// The entry of a key; else the complement of where it would go.
    public int Find(scoped in MapKey key)
    {
        if (!_elements.Box->IsSorted)
        {
            if (Count <= UnsortedMax)
            {
                return FindUnsorted(key);
            }

            Sort();
        }

        var low = 0;
        var high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            var comparison = Compare(key, middle);
            if (comparison == 0)
            {
                return middle;
            }

            if (comparison > 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return ~low;
    }

    /// Adds an entry where Find said it belongs. The key lies at `keyIndex` of the stack, the value, which is popped, on top.
    public void Add(int entry, int keyIndex)
    {
        _elements.Insert(KeySlot(entry), SlotsPerEntry);
        var bytes = Boxes.Bytes(_elements.Lua, keyIndex);
        if (bytes != null)
        {
            NewValues.PushBytes(_elements.State, _elements.Lua, bytes->Content, DataModel.ParticleType.Bytes);
        }
        else
        {
            LuaApi.PushValue(_elements.Lua, keyIndex);
        }

        _elements.Set(KeySlot(entry));
        _elements.Set(ValueSlot(entry));
    }

    public void Remove(int entry) => _elements.Remove(KeySlot(entry), SlotsPerEntry);

    /// Puts the entries into the order of their keys. Those of one key, which no client sends, stay beside each other.
    public void Sort()
    {
        if (_elements.Box->IsSorted)
        {
            return;
        }

        _elements.Box->IsSorted = true;
        if (IsInOrder())
        {
            return;
        }

        var count = Count;
        var spare = ArrayPool<int>.Shared.Rent(SlotsPerEntry * count);
        for (var width = 1; width < count; width *= 2)
        {
            for (var left = 0; left < count; left += 2 * width)
            {
                Merge(spare, left, Math.Min(left + width, count), Math.Min(left + (2 * width), count));
            }

            spare.AsSpan(0, SlotsPerEntry * count).CopyTo(new Span<int>(_elements.Box->Slots, SlotsPerEntry * count));
        }

        ArrayPool<int>.Shared.Return(spare);
        _elements.State.Charge(count / 4 * int.Log2(count));
    }

    private void Merge(int[] spare, int left, int middle, int stop)
    {
        var slots = _elements.Box->Slots;
        var (i, j) = (left, middle);
        for (var at = left; at < stop; at++)
        {
            var taken = i >= middle || (j < stop && CompareEntries(j, i) < 0) ? j++ : i++;
            spare[KeySlot(at)] = slots[KeySlot(taken)];
            spare[ValueSlot(at)] = slots[ValueSlot(taken)];
        }
    }

    private bool IsInOrder()
    {
        for (var entry = 1; entry < Count; entry++)
        {
            if (CompareEntries(entry - 1, entry) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private int FindUnsorted(scoped in MapKey key)
    {
        for (var entry = 0; entry < Count; entry++)
        {
            if (Compare(key, entry) == 0)
            {
                return entry;
            }
        }

        return ~Count;
    }

    private int CompareEntries(int left, int right)
    {
        var slot = _elements.Slot(KeySlot(left));
        if (slot >= 0)
        {
            return Compare(MapKey.OfPacked(_elements.PackedFrom(slot)), right);
        }

        _elements.Push(KeySlot(left));
        var comparison = MapKey.TryOfLua(_elements.Lua, -1, out var key) ? Compare(key, right) : 0;
        LuaApi.SetTop(_elements.Lua, -2);
        return comparison;
    }

    private int Compare(scoped in MapKey key, int entry)
    {
        var slot = _elements.Slot(KeySlot(entry));
        if (slot >= 0)
        {
            return key.ComparedTo(MapKey.OfPacked(_elements.PackedFrom(slot)));
        }

        _elements.Push(KeySlot(entry));
        var comparison = MapKey.TryOfLua(_elements.Lua, -1, out var other) ? key.ComparedTo(other) : 0;
        LuaApi.SetTop(_elements.Lua, -2);
        return comparison;
    }
}
