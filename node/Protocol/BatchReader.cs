using System.Buffers.Binary;
using Aerie.Foundation;

namespace Aerie.Protocol;

[Flags]
public enum BatchFlags : byte
{
    None = 0,
    InlineMemory = 1,
    InlineDevice = 2,
    RespondAllKeys = 4,
    ReportErrorRecord = 8,
}

/// What a row of a batch brings of its own; `Repeat` alone takes everything from the full row before it.
[Flags]
public enum BatchRowForm : byte
{
    None = 0,
    Repeat = 1,
    HasInfo = 2,
    HasGeneration = 4,
    HasTtl = 8,
    HasInfo4 = 16,
}

/// One key of a batch with the request that applies to it, given in full or repeated from an earlier key.
public readonly ref struct BatchRow
{
    public uint Index { get; init; }

    public ReadOnlySpan<byte> Digest { get; init; }

    public Info1 Info1 { get; init; }

    public Info2 Info2 { get; init; }

    public Info3 Info3 { get; init; }

    public byte Info4 { get; init; }

    public uint Generation { get; init; }

    public uint Ttl { get; init; }

    public Fields Fields { get; init; }

    public ReadOnlySpan<byte> OpBytes { get; init; }

    public ushort OpCount { get; init; }
}

/// Walks the keys of a batch field (41 and 42 share the form). A row may say "as the one before", so rows cannot be
/// read out of order; a position (Offset of a row and of the last full row) lets somebody else go on from the middle.
public ref struct BatchReader
{
    private const int RowHeaderLength = 4 + Digest.Length + 1;

    private const int PrologueLength = 5;

    private const BatchRowForm KnownForms =
        BatchRowForm.Repeat | BatchRowForm.HasInfo | BatchRowForm.HasGeneration | BatchRowForm.HasTtl | BatchRowForm.HasInfo4;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly MessageHeader _message;
    private int _offset;
    private int _lastFull;
    private int _left;
    private BatchRow _full;

    private BatchReader(ReadOnlySpan<byte> bytes, scoped in MessageHeader message, BatchPosition position)
    {
        _bytes = bytes;
        _message = message;
        _offset = position.Offset;
        _lastFull = position.LastFullRow;
        _left = position.RowsLeft;
    }

    public readonly BatchPosition Position => new(_offset, _lastFull, _left);

    public bool Malformed { get; private set; }

    /// Reads count and flags; false when the field is too short for what it announces.
    public static bool TryStart(ReadOnlySpan<byte> field, out uint count, out BatchFlags flags, out BatchPosition start)
    {
        count = 0;
        flags = BatchFlags.None;
        start = default;
        if (field.Length < PrologueLength)
        {
            return false;
        }

        count = BinaryPrimitives.ReadUInt32BigEndian(field);
        flags = (BatchFlags)field[4];
        start = new BatchPosition(PrologueLength, 0, (int)Math.Min(count, int.MaxValue));
        return count <= (uint)((field.Length - PrologueLength) / RowHeaderLength);
    }

    /// Goes on from a position that TryStart or another reader of the same field gave.
    public static BatchReader At(ReadOnlySpan<byte> field, scoped in MessageHeader message, BatchPosition position)
    {
        var reader = new BatchReader(field, message, position);
        if (position.LastFullRow != 0)
        {
            var offset = position.LastFullRow;
            reader._left++;
            reader.TryRow(ref offset, out _); // it was well-formed when first read
            reader._left = position.RowsLeft;
            reader._lastFull = position.LastFullRow;
        }

        return reader;
    }

    public bool TryNext(out BatchRow row)
    {
        row = default;
        var offset = _offset;
        var found = _left > 0 && !Malformed && TryRow(ref offset, out row);
        _offset = offset;
        return found;
    }

    private bool TryRow(scoped ref int offset, out BatchRow row)
    {
        row = default;
        _left--;
        if (_bytes.Length - offset < RowHeaderLength)
        {
            return Fail();
        }

        var start = offset;
        var index = BinaryPrimitives.ReadUInt32BigEndian(_bytes[offset..]);
        var digest = _bytes.Slice(offset + 4, Digest.Length);
        var form = (BatchRowForm)_bytes[offset + 4 + Digest.Length];
        offset += RowHeaderLength;
        if ((form & ~KnownForms) != 0)
        {
            return Fail();
        }

        if ((form & BatchRowForm.Repeat) != 0)
        {
            if (_lastFull == 0)
            {
                return Fail();
            }
        }
        else if (!TryFullRow(ref offset, form))
        {
            return Fail();
        }
        else
        {
            _lastFull = start;
        }

        row = _full with { Index = index, Digest = digest };
        return true;
    }

    // The part that later rows may repeat: attributes, fields and operations.
    private bool TryFullRow(scoped ref int offset, BatchRowForm form)
    {
        var info = (form & BatchRowForm.HasInfo) != 0;
        var attributes = (info ? 3 : 1)
            + ((form & BatchRowForm.HasInfo4) != 0 ? 1 : 0)
            + ((form & BatchRowForm.HasGeneration) != 0 ? 2 : 0)
            + ((form & BatchRowForm.HasTtl) != 0 ? 4 : 0);
        if (_bytes.Length - offset < attributes + 4)
        {
            return false;
        }

        var info1 = (Info1)_bytes[offset++];
        var info2 = info ? (Info2)_bytes[offset++] : Info2.None;
        var info3 = info ? (Info3)_bytes[offset++] : _message.Info3;
        var info4 = (form & BatchRowForm.HasInfo4) != 0 ? _bytes[offset++] : (byte)0;
        uint generation = 0, ttl = 0;
        if ((form & BatchRowForm.HasGeneration) != 0)
        {
            generation = BinaryPrimitives.ReadUInt16BigEndian(_bytes[offset..]);
            offset += 2;
        }

        if ((form & BatchRowForm.HasTtl) != 0)
        {
            ttl = BinaryPrimitives.ReadUInt32BigEndian(_bytes[offset..]);
            offset += 4;
        }

        var fieldCount = BinaryPrimitives.ReadUInt16BigEndian(_bytes[offset..]);
        var opCount = BinaryPrimitives.ReadUInt16BigEndian(_bytes[(offset + 2)..]);
        offset += 4;
        if (!Fields.TryRead(_bytes[offset..], fieldCount, out var fields)
            || !Ops.TryMeasure(_bytes[(offset + fields.Length)..], opCount, out var opLength))
        {
            return false;
        }

        _full = new BatchRow
        {
            Info1 = info1,
            Info2 = info2,
            Info3 = info3,
            Info4 = info4,
            Generation = generation,
            Ttl = ttl,
            Fields = fields,
            OpBytes = _bytes.Slice(offset + fields.Length, opLength),
            OpCount = opCount,
        };
        offset += fields.Length + opLength;
        return true;
    }

    private bool Fail()
    {
        Malformed = true;
        _left = 0;
        return false;
    }
}

/// Where a batch reader stands. LastFullRow is the offset of the row that "repeat" refers to, 0 before the first.
public readonly record struct BatchPosition(int Offset, int LastFullRow, int RowsLeft);
