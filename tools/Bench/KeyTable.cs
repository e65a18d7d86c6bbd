using System.Buffers.Binary;
using System.Text;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;

namespace Aerie.Tools.Bench;

/// The digests of the integer keys 0…n-1 of one set, computed once before the run: hashing while sending would cost the
/// generator more than the sending. They are real keys: any client finds the records by set and number.
internal sealed class KeyTable
{
    public const int KeysMax = 100_000_000; // 2 GB of digests

    private readonly byte[] _digests;

    public KeyTable(string set, int keys)
    {
        Keys = keys;
        _digests = new byte[keys * Digest.Length];
        const int Share = 16 * 1024;
        var setName = Encoding.UTF8.GetBytes(set);
        Parallel.For(0, (keys + Share - 1) / Share, share => Fill(setName, share * Share, Math.Min(keys, (share + 1) * Share)));
    }

    public int Keys { get; }

    public ReadOnlySpan<byte> this[int key] => _digests.AsSpan(key * Digest.Length, Digest.Length);

    private void Fill(byte[] set, int from, int to)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        for (var key = from; key < to; key++)
        {
            BinaryPrimitives.WriteInt64BigEndian(number, key);
            var digest = Ripemd160.OfKey(set, (byte)ParticleType.Integer, number);
            digest.CopyTo(_digests.AsSpan(key * Digest.Length));
        }
    }
}
