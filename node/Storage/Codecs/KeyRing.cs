using System.Security.Cryptography;
using Aerie.Foundation;

namespace Aerie.Storage.Codecs;

/// The keys that a namespace's configuration names, and what they open: config `encryption`, `encryption-key-file`,
/// `encryption-old-key-file`. Each device carries the data key of its storage in a key slot of its header:
///
///      0  16 bytes key check: tells which key file the slot was made with
///     16  12 bytes nonce, 16 bytes tag, 32 bytes data key, encrypted by AES-256-GCM with a key derived from that file
///
/// The storage's id and the cipher are authenticated with it, so a slot opens only where it was made. All zeros without
/// encryption.
public sealed class KeyRing
{
    public const int CheckLength = 16;
    public const int WrappedLength = EncodedImage.SealLength + DataKey.Length;
    public const int SlotLength = CheckLength + WrappedLength;
    public const int StorageIdLength = 16;

    private readonly StorageCipher _cipher;
    private readonly EncryptionKey? _key;
    private readonly EncryptionKey? _oldKey;

    internal KeyRing(StorageCipher cipher, EncryptionKey? key, EncryptionKey? oldKey)
    {
        Invariant.Holds((key != null) == (cipher != StorageCipher.None) && (oldKey == null || key != null));
        _cipher = cipher;
        _key = key;
        _oldKey = oldKey;
    }

    /// No encryption.
    public static KeyRing None { get; } = new(StorageCipher.None, null, null);

    /// `encryption` has a default, so it counts only when a key file is given. Throws EncryptionKeyException.
    public static KeyRing Load(StorageCipher encryption, string? keyFile, string? oldKeyFile)
    {
        if (keyFile == null && oldKeyFile != null)
        {
            throw new EncryptionKeyException(
                $"encryption-old-key-file {oldKeyFile} is given without encryption-key-file: name the new key, "
                + "or give the old one as encryption-key-file");
        }

        return keyFile == null
            ? new KeyRing(StorageCipher.None, null, null)
            : new KeyRing(encryption, EncryptionKey.FromFile(keyFile), oldKeyFile == null ? null : EncryptionKey.FromFile(oldKeyFile));
    }

    /// What goes into the headers of new devices. None without a key file.
    public StorageCipher Cipher => _cipher;

    /// The key of a storage that is created now; null without a key file.
    public DataKey? CreateDataKey() => _key == null ? null : DataKey.Create(_cipher);

    /// Fills the key slot of a device: a new one, one that joins a storage, or one whose slot the old key opened.
    public void Wrap(DataKey? dataKey, ReadOnlySpan<byte> storageId, Span<byte> slot)
    {
        Invariant.Holds(slot.Length == SlotLength && storageId.Length == StorageIdLength && (dataKey == null) == (_key == null));
        slot.Clear();
        if (dataKey != null)
        {
            Wrap(dataKey, storageId, slot, RandomNumberGenerator.GetBytes(EncodedImage.NonceLength));
        }
    }

    /// The data key of a device that was found with this cipher and slot; null when it is not encrypted. With `isOld` the
    /// old key opened it: the caller writes a new slot by Wrap into the header before the old file may be thrown away.
    /// Throws EncryptionKeyException when configuration and device do not fit.
    public DataKey? Open(string device, StorageCipher stored, ReadOnlySpan<byte> storageId, ReadOnlySpan<byte> slot, out bool isOld)
    {
        Invariant.Holds(slot.Length == SlotLength && storageId.Length == StorageIdLength);
        isOld = false;
        RefuseOtherCipher(device, stored);
        if (_key == null)
        {
            return null;
        }

        Span<byte> wrapping = stackalloc byte[DataKey.Length];
        Span<byte> check = stackalloc byte[CheckLength];
        foreach (var key in (ReadOnlySpan<EncryptionKey?>)[_key, _oldKey])
        {
            key?.Derive(storageId, wrapping, check);
            if (key != null && CryptographicOperations.FixedTimeEquals(check, slot[..CheckLength]))
            {
                isOld = key != _key;
                return Unwrap(device, wrapping, storageId, slot[CheckLength..]);
            }
        }

        var old = _oldKey == null
            ? "; if the key was changed, name the earlier file as encryption-old-key-file"
            : $", nor with encryption-old-key-file {_oldKey.Path}";
        throw new EncryptionKeyException($"{device} is not encrypted with encryption-key-file {_key.Path}{old}");
    }

    internal void Wrap(DataKey dataKey, ReadOnlySpan<byte> storageId, Span<byte> slot, ReadOnlySpan<byte> nonce)
    {
        Span<byte> wrapping = stackalloc byte[DataKey.Length];
        _key!.Derive(storageId, wrapping, slot[..CheckLength]);
        var wrapped = slot[CheckLength..];
        nonce.CopyTo(wrapped);
        using var cipher = new AesGcm(wrapping, EncodedImage.TagLength);
        cipher.Encrypt(
            nonce, dataKey.Bytes, wrapped[EncodedImage.SealLength..], TagOf(wrapped), [.. storageId, (byte)dataKey.Cipher]);
        CryptographicOperations.ZeroMemory(wrapping);
    }

    private void RefuseOtherCipher(string device, StorageCipher stored)
    {
        if (stored == _cipher)
        {
            return;
        }

        throw new EncryptionKeyException(
            _key == null
                ? $"{device} is encrypted ({NameOf(stored)}) and no encryption-key-file is given"
            : stored == StorageCipher.None
                ? $"{device} is not encrypted, but encryption-key-file {_key.Path} is given: remove that, or start with an empty device"
                : $"{device} is encrypted with {NameOf(stored)}, the configuration says encryption {NameOf(_cipher)}: "
                    + "change that, or start with an empty device");
    }

    private DataKey Unwrap(string device, Span<byte> wrapping, ReadOnlySpan<byte> storageId, ReadOnlySpan<byte> wrapped)
    {
        Span<byte> key = stackalloc byte[DataKey.Length];
        using var cipher = new AesGcm(wrapping, EncodedImage.TagLength);
        try
        {
            cipher.Decrypt(
                wrapped[..EncodedImage.NonceLength], wrapped[EncodedImage.SealLength..], TagOf(wrapped), key,
                [.. storageId, (byte)_cipher]);
            return DataKey.With(_cipher, key);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new EncryptionKeyException($"{device}: the data key in the header is damaged; without it the device cannot be read");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(wrapping);
        }
    }

    private static ReadOnlySpan<byte> TagOf(ReadOnlySpan<byte> wrapped) => wrapped.Slice(EncodedImage.NonceLength, EncodedImage.TagLength);

    private static Span<byte> TagOf(Span<byte> wrapped) => wrapped.Slice(EncodedImage.NonceLength, EncodedImage.TagLength);

    private static string NameOf(StorageCipher cipher) => cipher switch
    {
        StorageCipher.None => "none",
        StorageCipher.Aes128 => "aes-128",
        StorageCipher.Aes256 => "aes-256",
        _ => $"cipher {(int)cipher}, which this version does not know",
    };
}
