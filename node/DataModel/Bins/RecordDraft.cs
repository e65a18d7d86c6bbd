using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.DataModel.Bins;

/// The bytes that a draft's bins point into. They must stay where they are until the draft is written.
public readonly ref struct DraftSources(ReadOnlySpan<byte> image, ReadOnlySpan<byte> request)
{
    public readonly ReadOnlySpan<byte> Image = image;
    public readonly ReadOnlySpan<byte> Request = request;
}

/// The bins of one record while operations change them. A bin is a pair of references, name and value, into the stored
/// image, into the request, or into the draft's own scratch bytes, so nothing is copied until the new image is written,
/// and then once. One draft per thread, cleared for each command.
public sealed class RecordDraft
{
    public const int BinsMax = 32_767;
    public const int NameLengthMax = 15;

    /// Up to here names are compared one by one; above it a hash table takes over, or a hostile record of thousands of
    /// bins would make each operation walk them all.
    private const int LinearMax = 16;

    /// Twice the largest record: enough for any draft that can still be stored, and a bound for a request that appends
    /// to a large value thousands of times.
    private const int ScratchMax = 16 * 1024 * 1024;

    private BinSlot[] _slots = new BinSlot[64];
    private int[] _table = [];
    private int _slotCount;
    private bool _hashed;

    private enum Source : byte
    {
        Image,
        Request,
        Scratch,
    }

    /// What operations make, values that lie in neither the image nor the request. Bytes are added only.
    public GrowingBytes Scratch { get; } = new(ScratchMax);

    /// Slots in the order in which their bins came to be, removed ones among them.
    public int SlotCount => _slotCount;

    public int BinCount { get; private set; }

    public void Clear()
    {
        _slotCount = 0;
        Scratch.Clear();
        _hashed = false;
        BinCount = 0;
    }

    /// Takes over a bin of the stored image. Images hold each name once, so no search is made.
    public void AddStored(int nameOffset, int nameLength, ParticleType type, int valueOffset, int valueLength)
    {
        ref var slot = ref NewSlot();
        slot.Name = new Piece(Source.Image, nameOffset, nameLength);
        slot.Value = new Piece(Source.Image, valueOffset, valueLength);
        slot.Type = type;
        BinCount++;
    }

    /// The slot of a live bin, or -1.
    public int Find(scoped in DraftSources sources, scoped ReadOnlySpan<byte> name)
    {
        var slot = FindSlot(sources, name);
        return slot >= 0 && _slots[slot].Type != ParticleType.Null ? slot : -1;
    }

    public bool IsLive(int slot) => _slots[slot].Type != ParticleType.Null;

    public ParticleType TypeOf(int slot) => _slots[slot].Type;

    public ReadOnlySpan<byte> NameOf(scoped in DraftSources sources, int slot) => Resolve(sources, _slots[slot].Name);

    public ReadOnlySpan<byte> ValueOf(scoped in DraftSources sources, int slot) => Resolve(sources, _slots[slot].Value);

    /// Sets a bin to a value of the request. Integers shorter than eight bytes are widened.
    public ResultCode Put(scoped in DraftSources sources, scoped in BinOperand operand)
    {
        if (!ParticleTypes.IsStorable(operand.ParticleType, operand.Value))
        {
            return ResultCode.Parameter;
        }

        var slot = FindOrAdd(sources, operand);
        if (slot < 0)
        {
            return ResultCode.Parameter;
        }

        var type = (ParticleType)operand.ParticleType;
        var value = type == ParticleType.Integer && operand.Value.Length != sizeof(long)
            ? ScratchInteger(Integers.Widen(operand.Value))
            : new Piece(Source.Request, operand.ValueOffset, operand.Value.Length);
        Set(slot, type, value);
        return ResultCode.Ok;
    }

    public void Remove(scoped in DraftSources sources, scoped ReadOnlySpan<byte> name)
    {
        var slot = Find(sources, name);
        if (slot >= 0)
        {
            _slots[slot].Type = ParticleType.Null;
            BinCount--;
        }
    }

    public void RemoveAll()
    {
        for (var slot = 0; slot < _slotCount; slot++)
        {
            _slots[slot].Type = ParticleType.Null;
        }

        BinCount = 0;
    }

    /// Integer plus integer wraps, double plus double adds; a bin that is not there starts at the operand.
    public ResultCode Add(scoped in DraftSources sources, scoped in BinOperand operand)
    {
        if ((ParticleType)operand.ParticleType is not (ParticleType.Integer or ParticleType.Double)
            || !ParticleTypes.IsStorable(operand.ParticleType, operand.Value))
        {
            return ResultCode.Parameter;
        }

        var slot = Find(sources, operand.Name);
        if (slot < 0)
        {
            return Put(sources, operand);
        }

        var type = _slots[slot].Type;
        if (type != (ParticleType)operand.ParticleType)
        {
            return ResultCode.IncompatibleType;
        }

        var current = ValueOf(sources, slot);
        Set(slot, type, type == ParticleType.Integer
            ? ScratchInteger(unchecked(BinaryPrimitives.ReadInt64BigEndian(current) + Integers.Widen(operand.Value)))
            : ScratchInteger(BitConverter.DoubleToInt64Bits(
                BinaryPrimitives.ReadDoubleBigEndian(current) + BinaryPrimitives.ReadDoubleBigEndian(operand.Value))));
        return ResultCode.Ok;
    }

    /// Sets a bin to what an operation has written to Scratch.
    public ResultCode PutComputed(scoped in DraftSources sources, scoped in BinOperand operand, ParticleType type, int offset, int length)
    {
        var slot = FindOrAdd(sources, operand);
        if (slot < 0)
        {
            return ResultCode.Parameter;
        }

        Set(slot, type, new Piece(Source.Scratch, offset, length));
        return ResultCode.Ok;
    }

    public ResultCode Append(scoped in DraftSources sources, scoped in BinOperand operand) => Join(sources, operand, operandFirst: false);

    public ResultCode Prepend(scoped in DraftSources sources, scoped in BinOperand operand) => Join(sources, operand, operandFirst: true);

    private ResultCode Join(scoped in DraftSources sources, scoped in BinOperand operand, bool operandFirst)
    {
        var type = (ParticleType)operand.ParticleType;
        if (!ParticleTypes.IsText(type))
        {
            return ResultCode.Parameter;
        }

        var slot = Find(sources, operand.Name);
        if (slot < 0)
        {
            return Put(sources, operand);
        }

        if (_slots[slot].Type != type)
        {
            return ResultCode.IncompatibleType;
        }

        var start = Scratch.Length;
        var current = ValueOf(sources, slot);
        Scratch.Append(operandFirst ? operand.Value : current);
        Scratch.Append(operandFirst ? current : operand.Value);
        if (Scratch.Overflowed)
        {
            return ResultCode.RecordTooBig;
        }

        Set(slot, type, new Piece(Source.Scratch, start, Scratch.Length - start));
        return ResultCode.Ok;
    }

    private void Set(int slot, ParticleType type, Piece value)
    {
        ref var bin = ref _slots[slot];
        BinCount += bin.Type == ParticleType.Null ? 1 : 0;
        bin.Type = type;
        bin.Value = value;
    }

    private int FindOrAdd(scoped in DraftSources sources, scoped in BinOperand operand)
    {
        var found = FindSlot(sources, operand.Name);
        if (found >= 0)
        {
            return found;
        }

        if (_slotCount >= BinsMax)
        {
            return -1;
        }

        NewSlot().Name = new Piece(Source.Request, operand.NameOffset, operand.Name.Length);
        if (_hashed)
        {
            Enter(sources, _slotCount - 1);
        }

        return _slotCount - 1;
    }

    private int FindSlot(scoped in DraftSources sources, scoped ReadOnlySpan<byte> name)
    {
        if (_slotCount > LinearMax)
        {
            return FindHashed(sources, name);
        }

        for (var slot = 0; slot < _slotCount; slot++)
        {
            if (Resolve(sources, _slots[slot].Name).SequenceEqual(name))
            {
                return slot;
            }
        }

        return -1;
    }

    private int FindHashed(scoped in DraftSources sources, scoped ReadOnlySpan<byte> name)
    {
        if (!_hashed || _slotCount * 2 > _table.Length)
        {
            Rehash(sources);
        }

        for (var at = Hash(name); ; at++)
        {
            var slot = _table[at & (_table.Length - 1)] - 1;
            if (slot < 0 || Resolve(sources, _slots[slot].Name).SequenceEqual(name))
            {
                return slot;
            }
        }
    }

    private void Rehash(scoped in DraftSources sources)
    {
        var wanted = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)_slotCount * 4);
        if (_table.Length < wanted)
        {
            _table = new int[wanted];
        }

        Array.Clear(_table);
        _hashed = true;
        for (var slot = 0; slot < _slotCount; slot++)
        {
            Enter(sources, slot);
        }
    }

    private void Enter(scoped in DraftSources sources, int slot)
    {
        var at = Hash(Resolve(sources, _slots[slot].Name));
        while (_table[at & (_table.Length - 1)] != 0)
        {
            at++;
        }

        _table[at & (_table.Length - 1)] = slot + 1;
    }

    private static int Hash(scoped ReadOnlySpan<byte> name) => (int)(Crc32C.Of(name) & 0x3FFF_FFFF);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> Resolve(scoped in DraftSources sources, Piece piece) => piece.Source switch
    {
        Source.Image => sources.Image.Slice(piece.Offset, piece.Length),
        Source.Request => sources.Request.Slice(piece.Offset, piece.Length),
        _ => Scratch.Read(piece.Offset, piece.Length),
    };

    private ref BinSlot NewSlot()
    {
        if (_slotCount == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        ref var slot = ref _slots[_slotCount++];
        slot = default;
        return ref slot;
    }

    private Piece ScratchInteger(long value)
    {
        var start = Scratch.Length;
        BinaryPrimitives.WriteInt64BigEndian(Scratch.Reserve(sizeof(long)), value);
        Scratch.Commit(sizeof(long));
        return new Piece(Source.Scratch, start, sizeof(long));
    }

    private readonly record struct Piece(Source Source, int Offset, int Length);

    private struct BinSlot
    {
        public Piece Name;
        public Piece Value;
        public ParticleType Type;
    }
}

/// What an operation brings: the bin's name and a value, both lying in the request.
public readonly ref struct BinOperand
{
    public ReadOnlySpan<byte> Name { get; init; }

    public int NameOffset { get; init; }

    public byte ParticleType { get; init; }

    public ReadOnlySpan<byte> Value { get; init; }

    public int ValueOffset { get; init; }
}
