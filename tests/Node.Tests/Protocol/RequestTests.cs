using System.Buffers.Binary;
using Aerie.DataModel;
using Aerie.Protocol;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Protocol;

/// Requests as they come from anybody: what is sound is read, what is not is told so, and nothing is read out of bounds.
public sealed class RequestTests
{
    [Fact]
    public void Fields_are_found_wherever_they_stand_and_the_last_of_two_counts()
    {
        byte[] bytes =
        [
            .. Field(FieldId.Set, "first"u8), .. Field((FieldId)99, "?"u8), .. Field(FieldId.Namespace, "test"u8),
            .. Field(FieldId.QueryId, [1, 2, 3, 4, 5, 6, 7, 8]), .. Field(FieldId.Set, "second"u8), 0xEE,
        ];
        Assert.True(Fields.TryRead(bytes, 5, out var fields));
        Assert.Equal(bytes.Length - 1, fields.Length);
        Assert.Equal("test"u8.ToArray(), fields.Namespace.ToArray());
        Assert.Equal("second"u8.ToArray(), fields.Set.ToArray());
        Assert.True(fields.TryGet(FieldId.QueryId, out var id));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], id.ToArray());
        Assert.False(fields.TryGet(FieldId.Filter, out _));
        Assert.True(fields.Has(FieldId.Set));
        Assert.False(fields.Has(FieldId.Digest));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(6u)]
    [InlineData(0x7FFF_FFFFu)]
    [InlineData(0x8000_0000u)]
    [InlineData(0xFFFF_FFFFu)]
    public void A_field_whose_length_lies_is_refused(uint size)
    {
        byte[] bytes = [0, 0, 0, 0, (byte)FieldId.Set, 1, 2, 3, 4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, size);
        Assert.False(Fields.TryRead(bytes, 1, out _));
    }

    [Fact]
    public void More_fields_announced_than_there_are_is_refused() =>
        Assert.False(Fields.TryRead(Field(FieldId.Set, "s"u8), 2, out _));

    [Theory]
    [InlineData(3u, 0)] // shorter than its own header
    [InlineData(5u, 2)] // the name does not fit
    [InlineData(9u, 0)] // longer than the bytes
    [InlineData(0xFFFF_FFFFu, 0)]
    [InlineData(0x8000_0000u, 0)]
    public void An_op_whose_length_lies_is_refused(uint size, byte nameLength)
    {
        byte[] bytes = [0, 0, 0, 0, 1, 0, 0, nameLength, (byte)'a', 1, 2, 3];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, size);
        Assert.False(Ops.TryMeasure(bytes, 1, out _));
    }

    [Fact]
    public void Ops_are_read_in_order_with_their_places()
    {
        byte[] bytes = [0, 0, 0, 6, 2, 3, 0, 1, (byte)'a', (byte)'v', 0, 0, 0, 4, 11, 0, 0, 0];
        var ops = new Ops(bytes, 2);
        Assert.True(ops.TryNext(out var write));
        Assert.Equal(((byte)OpCode.Write, (byte)ParticleType.String), (write.Code, write.ParticleType));
        Assert.Equal((8, 9), (write.NameOffset, write.ValueOffset));
        Assert.Equal("a"u8.ToArray(), write.Name.ToArray());
        Assert.Equal("v"u8.ToArray(), write.Value.ToArray());
        Assert.True(ops.TryNext(out var touch));
        Assert.Equal((byte)OpCode.Touch, touch.Code);
        Assert.Equal(0, touch.Name.Length + touch.Value.Length);
        Assert.False(ops.TryNext(out _));
        Assert.False(ops.Malformed);
        Assert.Equal(bytes.Length, ops.Offset);
    }

    [Fact]
    public void The_last_update_time_that_an_op_may_carry_is_stepped_over()
    {
        byte[] bytes = [0, 0, 0, 14, 2, 3, 1, 1, (byte)'a', 9, 9, 9, 9, 9, 9, 9, 9, (byte)'v'];
        var ops = new Ops(bytes, 1);
        Assert.True(ops.TryNext(out var op));
        Assert.Equal("v"u8.ToArray(), op.Value.ToArray());
        bytes[3] = 6; // not enough for the time
        Assert.False(Ops.TryMeasure(bytes, 1, out _));
    }

    [Fact]
    public void No_prefix_of_a_message_is_a_message()
    {
        var body = Sample();
        Assert.True(Request.TryRead(body, out var whole));
        Assert.Equal(3, whole.Ops.Count);
        for (var length = 0; length < body.Length; length++)
        {
            Assert.False(Request.TryRead(body.AsSpan(0, length), out _), $"{length} of {body.Length} bytes");
        }
    }

    [Fact]
    public void Bytes_behind_the_last_op_are_ignored() => Assert.True(Request.TryRead([.. Sample(), 1, 2, 3], out _));

    [Fact]
    public void Changed_bytes_never_read_outside_of_the_message()
    {
        const int seed = 20_260_101;
        var random = new Random(seed);
        var sound = Sample();
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = sound.AsSpan(0, random.Next(sound.Length + 1)).ToArray();
            for (var flips = random.Next(4); flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            if (Request.TryRead(bytes, out var request))
            {
                Visit(request);
            }
        }
    }

    private static void Visit(in Request request)
    {
        for (var id = 0; id < 64; id++)
        {
            request.Fields.TryGet((FieldId)id, out _);
        }

        var ops = request.Ops;
        while (ops.TryNext(out var op))
        {
            Assert.True(op.ValueOffset + op.Value.Length <= request.OpBytes.Length);
        }

        Assert.False(ops.Malformed); // TryRead measured them
    }

    private static byte[] Sample() => WireRequest.Put("key", "bin", "value").SendKey("key")
        .Op(OpCode.Add, "n", ParticleType.Integer, WireRequest.Integer(7)).Op(OpCode.Touch, "").Bytes()[ProtoHeader.Length..];

    private static byte[] Field(FieldId id, ReadOnlySpan<byte> data) => WireBatchField.FieldBytes(id, data);
}
