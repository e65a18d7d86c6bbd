using System.Buffers.Binary;
using Aerie.Foundation;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;
using Xunit;

namespace Aerie.Node.Tests.Storage.Devices;

public sealed class DeviceHeaderTests
{
    private static readonly DeviceHeader Example = new()
    {
        Namespace = "test",
        StorageId = new UInt128(0x1F1E1D1C1B1A1918, 0x1716151413121110),
        DeviceId = new UInt128(0x2F2E2D2C2B2A2928, 0x2726252423222120),
        DeviceNumber = 1,
        DeviceCount = 2,
        BlockCount = 0x0102,
        CreatedUnixMilliseconds = 0x0102030405,
        Encryption = StorageCipher.Aes256,
        KeySlot = new KeySlot([.. Enumerable.Range(0x30, KeyRing.SlotLength).Select(i => (byte)i)]),
    };

    [Fact]
    public void The_bytes_of_a_device_header_are_frozen()
    {
        var pages = Pages();
        Assert.Equal(
            "4145524945444556" + "01000000" + "FE62AF49" + "0474657374" + new string('0', 54)
            + "101112131415161718191A1B1C1D1E1F" + "202122232425262728292A2B2C2D2E2F" + "0100" + "0200" + "00008000"
            + "0201000000000000" + "0504030201000000" + "02" + Convert.ToHexString(Example.KeySlot.Bytes),
            Convert.ToHexString(pages[..181]));
        Assert.False(pages.AsSpan(181, DeviceLayout.PageLength - 181).ContainsAnyExcept((byte)0));
        Assert.Equal(pages[..DeviceLayout.PageLength], pages[DeviceLayout.PageLength..]);
    }

    [Fact]
    public void A_header_reads_back_from_either_copy()
    {
        var pages = Pages();
        Assert.Equal(DeviceRefusal.None, DeviceHeader.Read(pages, out var header));
        Assert.Equal(Example, header);
        Assert.Equal(0x2726252423222120UL, header!.BlockDevice);
        for (var copy = 0; copy < 2; copy++)
        {
            var broken = pages.ToArray();
            new Random(copy).NextBytes(broken.AsSpan(copy * DeviceLayout.PageLength, DeviceLayout.PageLength));
            Assert.Equal(DeviceRefusal.None, DeviceHeader.Read(broken, out header));
            Assert.Equal(Example, header);
        }
    }

    [Fact]
    public void Each_kind_of_refusal_is_told()
    {
        var zero = new byte[DeviceLayout.DeviceHeadersLength];
        Refused(DeviceRefusal.Empty, zero);
        var text = zero.ToArray();
        "somebody's file"u8.CopyTo(text);
        Refused(DeviceRefusal.NotOurs, text);
        Refused(DeviceRefusal.OtherVersion, Changed(8, 2));
        Refused(DeviceRefusal.Damaged, Changed(17, (byte)'b'));
        Refused(DeviceRefusal.OtherBlockLength, Changed(86, 0x40, sign: true));
        Refused(DeviceRefusal.Damaged, Changed(16, 0, sign: true));
        Refused(DeviceRefusal.Damaged, Changed(16, 32, sign: true));
        Refused(DeviceRefusal.Damaged, Changed(80, 2, sign: true));
        Refused(DeviceRefusal.Damaged, Changed(95, 0x80, sign: true));
        Refused(DeviceRefusal.Damaged, Changed(104, 3, sign: true));
    }

    [Fact]
    public void A_half_written_first_header_is_no_empty_device()
    {
        var pages = Pages();
        pages.AsSpan(60, DeviceLayout.DeviceHeadersLength - 60).Clear();
        Refused(DeviceRefusal.Damaged, pages);
    }

    [Fact]
    public void Every_changed_bit_of_both_copies_is_noticed()
    {
        var pages = Pages();
        for (var bit = 0; bit < 8 * 190; bit++)
        {
            pages[bit / 8] ^= (byte)(1 << (bit % 8));
            pages[DeviceLayout.PageLength + (bit / 8)] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(DeviceRefusal.None, DeviceHeader.Read(pages, out _));
            pages[bit / 8] ^= (byte)(1 << (bit % 8));
            pages[DeviceLayout.PageLength + (bit / 8)] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Signed_garbage_never_throws()
    {
        var random = new Random(12);
        var pages = Pages();
        for (var i = 0; i < 5000; i++)
        {
            random.NextBytes(pages.AsSpan(16, 170));
            BinaryPrimitives.WriteUInt32LittleEndian(pages.AsSpan(84), DeviceLayout.BlockLength);
            Sign(pages.AsSpan(0, DeviceLayout.PageLength));
            if (DeviceHeader.Read(pages, out var header) == DeviceRefusal.None)
            {
                Assert.NotNull(header);
            }
        }
    }

    private static byte[] Pages()
    {
        var pages = new byte[DeviceLayout.DeviceHeadersLength];
        Example.Write(pages);
        return pages;
    }

    private static byte[] Changed(int at, byte value, bool sign = false)
    {
        var pages = Pages();
        pages[at] = value;
        if (sign)
        {
            Sign(pages.AsSpan(0, DeviceLayout.PageLength));
        }

        pages.AsSpan(0, DeviceLayout.PageLength).CopyTo(pages.AsSpan(DeviceLayout.PageLength));
        return pages;
    }

    private static void Sign(Span<byte> page)
    {
        page[12..16].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(page[12..], Crc32C.Of(page));
    }

    private static void Refused(DeviceRefusal refusal, byte[] pages)
    {
        Assert.Equal(refusal, DeviceHeader.Read(pages, out var header));
        Assert.Null(header);
        var line = DeviceHeader.Explain(refusal, "/dev/x");
        Assert.StartsWith("/dev/x: ", line);
        Assert.DoesNotContain('\n', line);
    }
}
