using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Aerie.Protocol;

/// The fields of one request, found in one pass over its bytes. The four that nearly every request carries are kept as
/// spans; the rest is looked up again when somebody asks, which is rare.
public readonly ref struct Fields
{
    private const int SizeLength = 4;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ulong _present;

    private Fields(ReadOnlySpan<byte> bytes, ulong present)
    {
        _bytes = bytes;
        _present = present;
    }

    public ReadOnlySpan<byte> Namespace { get; private init; }

    public ReadOnlySpan<byte> Set { get; private init; }

    public ReadOnlySpan<byte> Key { get; private init; }

    public ReadOnlySpan<byte> Digest { get; private init; }

    /// Bytes that the fields take.
    public int Length => _bytes.Length;

    /// Reads `count` fields from the front; false when a length lies. A field that comes twice: the last one counts.
    public static bool TryRead(ReadOnlySpan<byte> bytes, int count, out Fields fields)
    {
        ReadOnlySpan<byte> namespaceName = default, set = default, key = default, digest = default;
        ulong present = 0;
        var offset = 0;
        for (var i = 0; i < count; i++)
        {
            if (!TryNext(bytes, ref offset, out var id, out var data))
            {
                fields = default;
                return false;
            }

            present |= id < 64 ? 1UL << id : 0;
            switch ((FieldId)id)
            {
                case FieldId.Namespace: namespaceName = data; break;
                case FieldId.Set: set = data; break;
                case FieldId.Key: key = data; break;
                case FieldId.Digest: digest = data; break;
            }
        }

        fields = new Fields(bytes[..offset], present) { Namespace = namespaceName, Set = set, Key = key, Digest = digest };
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(FieldId id) => (_present & (1UL << (int)id)) != 0;

    /// Empty when it is not there.
    public ReadOnlySpan<byte> Get(FieldId id) => TryGet(id, out var data) ? data : default;

    public bool TryGet(FieldId id, out ReadOnlySpan<byte> data)
    {
        data = default;
        if (!Has(id))
        {
            return false;
        }

        var offset = 0;
        while (TryNext(_bytes, ref offset, out var found, out var candidate))
        {
            if (found == (byte)id)
            {
                data = candidate;
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryNext(ReadOnlySpan<byte> bytes, scoped ref int offset, out byte id, out ReadOnlySpan<byte> data)
    {
        id = 0;
        data = default;
        if (bytes.Length - offset <= SizeLength)
        {
            return false;
        }

        var size = BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
        var left = bytes.Length - offset - SizeLength;
        if (size == 0 || size > (uint)left)
        {
            return false;
        }

        id = bytes[offset + SizeLength];
        data = bytes.Slice(offset + SizeLength + 1, (int)size - 1);
        offset += SizeLength + (int)size;
        return true;
    }
}
