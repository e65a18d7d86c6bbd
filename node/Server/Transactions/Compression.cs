using System.Buffers.Binary;
using System.IO.Compression;
using Aerie.Memory;
using Aerie.Protocol;

namespace Aerie.Server.Transactions;

/// Compressed messages (type 4): the length of the message inside, then the message as zlib data.
internal sealed class Compression(BufferPool buffers)
{
    private const int LengthLength = 8;

    /// Replies up to this size go out as they are, as with the reference's clients.
    private const int ReplyThreshold = 128;

    /// zlib cannot do better than about a thousand to one: a larger claim is a lie, refused before memory is lent for it.
    private const long RatioMax = 1100;

    /// The message inside, in a buffer that the caller returns. False: not what it says to be.
    public bool TryInflate(ReadOnlySpan<byte> body, out BufferId message)
    {
        message = BufferId.None;
        if (body.Length <= LengthLength)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt64BigEndian(body);
        var data = body[LengthLength..];
        if (length is < ProtoHeader.Length or > ProtoHeader.BodyLengthMax + ProtoHeader.Length || (long)length > data.Length * RatioMax)
        {
            return false;
        }

        message = buffers.Rent((int)length);
        if (TryInflateInto(data, buffers.Span(message)[..(int)length]))
        {
            return true;
        }

        buffers.Return(message);
        return false;
    }

    /// Replaces the frame that begins at `start` by its compressed form when that is shorter.
    public static void CompressReply(ReplyBuffer reply, int start)
    {
        var length = reply.Length - start;
        if (length <= ReplyThreshold)
        {
            return;
        }

        using var compressed = new MemoryStream(length);
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(reply.Written(start, length));
        }

        var body = compressed.GetBuffer().AsSpan(0, (int)compressed.Length);
        if (body.Length + LengthLength + ProtoHeader.Length >= length)
        {
            return;
        }

        reply.WindBack(start);
        var frame = reply.Reserve(ProtoHeader.Length + LengthLength + body.Length);
        ProtoHeader.Write(frame, ProtoType.CompressedMessage, LengthLength + body.Length);
        BinaryPrimitives.WriteUInt64BigEndian(frame[ProtoHeader.Length..], (ulong)length);
        body.CopyTo(frame[(ProtoHeader.Length + LengthLength)..]);
        reply.Commit(ProtoHeader.Length + LengthLength + body.Length);
    }

    private static bool TryInflateInto(ReadOnlySpan<byte> data, Span<byte> message)
    {
        using var source = new MemoryStream(data.ToArray(), writable: false);
        using var zlib = new ZLibStream(source, CompressionMode.Decompress);
        try
        {
            var filled = zlib.ReadAtLeast(message, message.Length, throwOnEndOfStream: false);
            if (filled < message.Length)
            {
                return false;
            }
        }
        catch (InvalidDataException)
        {
            return false;
        }

        var inner = ProtoHeader.Read(message);
        return inner.Version == ProtoHeader.CurrentVersion && inner.BodyLength == message.Length - ProtoHeader.Length;
    }
}
