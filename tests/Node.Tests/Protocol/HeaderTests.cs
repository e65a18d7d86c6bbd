using Aerie.Foundation;
using Aerie.Protocol;
using Xunit;

namespace Aerie.Node.Tests.Protocol;

public sealed class HeaderTests
{
    // Written by hand from the description of the protocol, not by the code under test.
    private static readonly byte[] GoldenMessage =
    [
        22, 0x03, 0x05, 0x10, 0x08, 0x0D,
        0x00, 0x00, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x03, 0xE8,
        0x00, 0x02, 0x01, 0x00,
    ];

    [Fact]
    public void A_proto_header_is_version_type_and_48_bits_of_length()
    {
        byte[] golden = [2, 3, 0, 0, 0x07, 0x5B, 0xCD, 0x15];
        Assert.Equal(new ProtoHeader(2, ProtoType.Message, 123_456_789), ProtoHeader.Read(golden));
        var written = new byte[8];
        ProtoHeader.Write(written, ProtoType.Message, 123_456_789);
        Assert.Equal(golden, written);
    }

    [Fact]
    public void A_length_of_48_bits_is_not_cut()
    {
        var header = ProtoHeader.Read([9, 200, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        Assert.Equal(new ProtoHeader(9, (ProtoType)200, 0xFFFF_FFFF_FFFF), header);
    }

    [Fact]
    public void A_message_header_is_22_bytes_in_the_known_order()
    {
        var header = new MessageHeader
        {
            Info1 = Info1.Read | Info1.GetAll,
            Info2 = Info2.Write | Info2.GenerationEqual,
            Info3 = Info3.CreateOrReplace,
            Info4 = 8,
            Result = (byte)ResultCode.RecordTooBig,
            Generation = 0x1234,
            Ttl = 0x0102_0304,
            Timeout = 1000,
            FieldCount = 2,
            OpCount = 256,
        };
        var written = new byte[MessageHeader.Length];
        header.Write(written);
        Assert.Equal(GoldenMessage, written);
        Assert.True(MessageHeader.TryRead(GoldenMessage, out var read));
        Assert.Equal(header, read);
    }

    [Theory, InlineData(21), InlineData(23), InlineData(0)]
    public void A_header_of_another_size_is_none(byte size)
    {
        byte[] bytes = [size, .. GoldenMessage[1..], 0];
        Assert.False(MessageHeader.TryRead(bytes, out _));
    }

    [Fact]
    public void A_header_that_ends_early_is_none()
    {
        for (var length = 0; length < MessageHeader.Length; length++)
        {
            Assert.False(MessageHeader.TryRead(GoldenMessage.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void An_op_of_a_reply_and_a_field_have_the_bytes_that_clients_expect()
    {
        var op = new byte[64];
        Assert.Equal(13, ReplyFormat.WriteOp(op, "ab"u8, 3, "xyz"u8));
        Assert.Equal([0, 0, 0, 9, 1, 3, 0, 2, (byte)'a', (byte)'b', (byte)'x', (byte)'y', (byte)'z'], op[..13]);
        var field = new byte[64];
        Assert.Equal(7, ReplyFormat.WriteField(field, FieldId.Set, "st"u8));
        Assert.Equal([0, 0, 0, 3, 1, (byte)'s', (byte)'t'], field[..7]);
    }
}
