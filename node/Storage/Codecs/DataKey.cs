using System.Buffers.Binary;
using System.Security.Cryptography;
using Aerie.Foundation;

namespace Aerie.Storage.Codecs;

/// Config `encryption`. The numbers lie in device headers and never change.
public enum StorageCipher : byte
{
    None = 0,
    Aes128 = 1,
    Aes256 = 2,
}

/// What the images of one storage are encrypted with: random, made once when the storage is created, on the device only
/// wrapped. It also gives out the nonces of this process.
///
/// A nonce must never come twice under one key: two images under the same nonce give away both and let anybody forge more.
/// The 12 bytes start at random with each process and the last eight count up, so nothing about them must survive a crash,
/// and copies of a device that two nodes write on stay apart as well. Two starts that write 2^40 images each meet with a
/// probability of 2^-55. Only one thing repeats nonces: to resume a machine from an image of its running memory.
public sealed class DataKey
{
    /// Always as long as the longest key needs. AES-128 takes the first half.
    internal const int Length = 32;

    private readonly byte[] _key;
    private ulong _nextNonce;

    internal DataKey(StorageCipher cipher, ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonceStart)
    {
        Invariant.Holds(cipher != StorageCipher.None && key.Length == Length && nonceStart.Length == EncodedImage.NonceLength);
        Cipher = cipher;
        _key = key.ToArray();
        NoncePrefix = BinaryPrimitives.ReadUInt32LittleEndian(nonceStart);
        _nextNonce = BinaryPrimitives.ReadUInt64LittleEndian(nonceStart[sizeof(uint)..]);
    }

    public StorageCipher Cipher { get; }

    internal ReadOnlySpan<byte> Bytes => _key;

    internal uint NoncePrefix { get; }

    /// All devices of a storage carry the same key; another one belongs to another storage.
    public bool IsSameAs(DataKey other) =>
        Cipher == other.Cipher && CryptographicOperations.FixedTimeEquals(_key, other._key);

    internal static DataKey Create(StorageCipher cipher) => With(cipher, RandomNumberGenerator.GetBytes(Length));

    internal static DataKey With(StorageCipher cipher, ReadOnlySpan<byte> key) =>
        new(cipher, key, RandomNumberGenerator.GetBytes(EncodedImage.NonceLength));

    /// A cipher serves one thread.
    internal AesGcm CreateCipher() =>
        new(_key.AsSpan(0, Cipher == StorageCipher.Aes128 ? Length / 2 : Length), EncodedImage.TagLength);

    /// So many in a row, wrapping around; returns the first. From any thread.
    internal ulong TakeNonces(int count) => Interlocked.Add(ref _nextNonce, (ulong)count) - (ulong)count;
}
