using System.Security.Cryptography;

namespace Aerie.Storage.Codecs;

/// What the operator keeps in `encryption-key-file`. All bytes of the file count as they are, whatever they are: raw random
/// bytes, or text such as base64 or hex, a line break at its end included. It only wraps data keys.
public sealed class EncryptionKey
{
    /// A file that holds less is a password, and those can be tried out.
    public const int FileLengthMin = 32;

    /// Above it somebody has named the wrong file.
    public const int FileLengthMax = 64 * 1024;

    private readonly byte[] _material;

    internal EncryptionKey(string path, byte[] material)
    {
        Path = path;
        _material = material;
    }

    public string Path { get; }

    /// Throws EncryptionKeyException with the path and what to do.
    public static EncryptionKey FromFile(string path)
    {
        var material = new byte[FileLengthMax + 1];
        int length;
        try
        {
            using var file = File.OpenRead(path);
            length = file.ReadAtLeast(material, material.Length, throwOnEndOfStream: false);
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new EncryptionKeyException($"cannot read the encryption key file {path}: {reason.Message}");
        }

        if (length is < FileLengthMin or > FileLengthMax)
        {
            var actual = length < FileLengthMin ? $"holds {length} bytes" : $"is longer than {FileLengthMax} bytes";
            throw new EncryptionKeyException(
                $"the encryption key file {path} {actual}: it must hold at least {FileLengthMin} random bytes (head -c 32 /dev/urandom)");
        }

        return new EncryptionKey(path, material[..length]);
    }

    /// The keys for one storage: what wraps its data key, and what tells the right file from a wrong one. Neither leads to
    /// the other, and the same file gives every storage others.
    internal void Derive(ReadOnlySpan<byte> storageId, Span<byte> wrapping, Span<byte> check)
    {
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _material, wrapping, storageId, "aerie storage key wrapping"u8);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _material, check, storageId, "aerie storage key check"u8);
    }
}

/// What an operator must mend before a storage can be opened: one line with the file or device and what to do.
public sealed class EncryptionKeyException(string message) : Exception(message);
