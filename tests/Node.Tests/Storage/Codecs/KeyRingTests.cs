using Aerie.Storage.Codecs;
using Xunit;

namespace Aerie.Node.Tests.Storage.Codecs;

public sealed class KeyRingTests : IDisposable
{
    private const string Device = "/dev/one";
    private static readonly byte[] StorageId = [.. Enumerable.Range(0x10, 16).Select(i => (byte)i)];
    private readonly string _folder = Directory.CreateTempSubdirectory("aerie-keys-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// Computed with another implementation of HKDF and AES-GCM.
    [Fact]
    public void The_bytes_of_a_key_slot_are_frozen()
    {
        var file = new EncryptionKey("file", [.. Enumerable.Range(0x40, 32).Select(i => (byte)i)]);
        var ring = new KeyRing(StorageCipher.Aes256, file, null);
        var slot = new byte[KeyRing.SlotLength];
        ring.Wrap(CodecSamples.Key(StorageCipher.Aes256)!, StorageId, slot, CodecSamples.NonceStart);

        Assert.Equal(
            "103B5205F5A17DC6BD131B8539319587" + "F0F1F2F3F4F5F6F7F8F9FAFB" + "A8309D45D8BC864FE537C7E8E6AB7526"
            + "0842A6CCF8CFAD72DAE8E452643813F8C88832398BC1BF26FCAB4344C2D24103",
            Convert.ToHexString(slot));
        Assert.True(ring.Open(Device, StorageCipher.Aes256, StorageId, slot, out _)!.IsSameAs(CodecSamples.Key(StorageCipher.Aes256)!));
    }

    [Theory, InlineData(StorageCipher.Aes128), InlineData(StorageCipher.Aes256)]
    public void A_storage_opens_with_the_key_file_it_was_made_with(StorageCipher cipher)
    {
        var (key, slot) = Create(cipher, File("a"));

        var opened = KeyRing.Load(cipher, File("a"), null).Open(Device, cipher, StorageId, slot, out var isOld);

        Assert.True(key.IsSameAs(opened!));
        Assert.False(isOld);
        Assert.Equal(cipher, opened!.Cipher);
    }

    [Fact]
    public void Every_storage_has_a_key_of_its_own()
    {
        Assert.False(Create(StorageCipher.Aes128, File("a")).Key.IsSameAs(Create(StorageCipher.Aes128, File("a")).Key));
    }

    [Fact]
    public void Rotation_wraps_the_same_data_key_anew()
    {
        var (key, slot) = Create(StorageCipher.Aes256, File("old"));
        var rotating = KeyRing.Load(StorageCipher.Aes256, File("new"), File("old"));

        var opened = rotating.Open(Device, StorageCipher.Aes256, StorageId, slot, out var isOld);
        Assert.True(isOld);
        rotating.Wrap(opened, StorageId, slot);

        Assert.True(rotating.Open(Device, StorageCipher.Aes256, StorageId, slot, out isOld)!.IsSameAs(key)); // a second start with both
        Assert.False(isOld);
        Assert.True(Open(File("new"), slot)!.IsSameAs(key));
        Assert.Throws<EncryptionKeyException>(() => Open(File("old"), slot));
    }

    [Fact]
    public void A_wrong_key_is_refused_with_the_names_of_the_files()
    {
        var (_, slot) = Create(StorageCipher.Aes256, File("a"));

        Assert.Equal(
            $"/dev/one is not encrypted with encryption-key-file {File("b")}; "
                + "if the key was changed, name the earlier file as encryption-old-key-file",
            Refusal(() => Open(File("b"), slot)));
        Assert.Equal(
            $"/dev/one is not encrypted with encryption-key-file {File("b")}, nor with encryption-old-key-file {File("c")}",
            Refusal(() => KeyRing.Load(StorageCipher.Aes256, File("b"), File("c"))
                .Open(Device, StorageCipher.Aes256, StorageId, slot, out _)));
    }

    [Fact]
    public void A_missing_key_and_a_key_too_many_are_refused()
    {
        var (_, slot) = Create(StorageCipher.Aes128, File("a"));

        Assert.Equal(
            "/dev/one is encrypted (aes-128) and no encryption-key-file is given",
            Refusal(() => KeyRing.Load(StorageCipher.Aes128, null, null).Open(Device, StorageCipher.Aes128, StorageId, slot, out _)));
        Assert.Equal(
            $"/dev/one is not encrypted, but encryption-key-file {File("a")} is given: remove that, or start with an empty device",
            Refusal(() => KeyRing.Load(StorageCipher.Aes128, File("a"), null)
                .Open(Device, StorageCipher.None, StorageId, new byte[KeyRing.SlotLength], out _)));
    }

    [Fact]
    public void Another_cipher_than_the_devices_is_refused()
    {
        var (_, slot) = Create(StorageCipher.Aes128, File("a"));

        Assert.Equal(
            "/dev/one is encrypted with aes-128, the configuration says encryption aes-256: change that, or start with an empty device",
            Refusal(() => KeyRing.Load(StorageCipher.Aes256, File("a"), null).Open(Device, StorageCipher.Aes128, StorageId, slot, out _)));
        Assert.Contains("does not know", Refusal(() => KeyRing.Load(StorageCipher.Aes256, File("a"), null)
            .Open(Device, (StorageCipher)7, StorageId, slot, out _)));
    }

    [Fact]
    public void An_old_key_alone_is_refused() =>
        Assert.Contains(
            $"encryption-old-key-file {File("a")} is given without",
            Refusal(() => KeyRing.Load(StorageCipher.Aes128, null, File("a"))));

    [Fact]
    public void Without_a_key_nothing_is_encrypted()
    {
        var ring = KeyRing.Load(StorageCipher.Aes128, null, null);
        var slot = new byte[KeyRing.SlotLength];
        Array.Fill(slot, (byte)1);

        ring.Wrap(ring.CreateDataKey(), StorageId, slot);

        Assert.Equal(StorageCipher.None, ring.Cipher);
        Assert.Equal(new byte[KeyRing.SlotLength], slot);
        Assert.Null(ring.Open(Device, StorageCipher.None, StorageId, slot, out _));
    }

    [Fact]
    public void Every_changed_byte_of_a_slot_and_another_storage_are_noticed()
    {
        var (_, slot) = Create(StorageCipher.Aes256, File("a"));
        var ring = KeyRing.Load(StorageCipher.Aes256, File("a"), null);
        for (var at = 0; at < slot.Length; at++)
        {
            slot[at] ^= 0x10;
            var refusal = Refusal(() => ring.Open(Device, StorageCipher.Aes256, StorageId, slot, out _));
            Assert.Contains(at < KeyRing.CheckLength ? "not encrypted with" : "damaged", refusal);
            slot[at] ^= 0x10;
        }

        var otherId = StorageId.ToArray();
        otherId[3] ^= 1;
        Assert.Contains("not encrypted with", Refusal(() => ring.Open(Device, StorageCipher.Aes256, otherId, slot, out _)));
    }

    [Theory, InlineData(0), InlineData(31), InlineData(64 * 1024 + 1)]
    public void A_file_of_another_length_is_no_key(int length)
    {
        var path = Path.Combine(_folder, "odd");
        System.IO.File.WriteAllBytes(path, new byte[length]);

        Assert.Contains($"the encryption key file {path}", Refusal(() => EncryptionKey.FromFile(path)));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named()
    {
        Assert.Contains($"{_folder}/none", Refusal(() => EncryptionKey.FromFile($"{_folder}/none")));
        Assert.Contains(_folder, Refusal(() => EncryptionKey.FromFile(_folder)));
        Assert.Contains("/dev/zero is longer", Refusal(() => EncryptionKey.FromFile("/dev/zero")));
    }

    private static DataKey? Open(string keyFile, byte[] slot) =>
        KeyRing.Load(StorageCipher.Aes256, keyFile, null).Open(Device, StorageCipher.Aes256, StorageId, slot, out _);

    private static (DataKey Key, byte[] Slot) Create(StorageCipher cipher, string keyFile)
    {
        var ring = KeyRing.Load(cipher, keyFile, null);
        var key = ring.CreateDataKey()!;
        var slot = new byte[KeyRing.SlotLength];
        ring.Wrap(key, StorageId, slot);
        return (key, slot);
    }

    private static string Refusal(Action action) => Assert.Throws<EncryptionKeyException>(action).Message;

    /// A key file of this name; the same name is the same key.
    private string File(string name)
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, string.Concat(Enumerable.Repeat(name, 40)));
        return path;
    }
}
