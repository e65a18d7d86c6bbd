using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.TestKit;

/// Builds request bytes by hand, as a client would send them, and takes replies apart.
public sealed class WireRequest
{
    private readonly List<byte> _fields = [];
    private readonly List<byte> _ops = [];
    private int _fieldCount;
    private int _opCount;
    private Info1 _info1;
    private Info2 _info2;
    private Info3 _info3;
    private uint _generation;
    private uint _ttl;
    private uint _timeout = 1000;

    public static WireRequest Get(string key, string set = "s") => new WireRequest().Flags(Info1.Read | Info1.GetAll).Record(key, set);

    public static WireRequest Exists(string key, string set = "s") =>
        new WireRequest().Flags(Info1.Read | Info1.NoBinData).Record(key, set);

    public static WireRequest Write(string key, string set = "s") => new WireRequest().Flags(Info2.Write).Record(key, set);

    public static WireRequest Delete(string key, string set = "s") => new WireRequest().Flags(Info2.Write | Info2.Delete).Record(key, set);

    public static WireRequest Put(string key, string bin, string value, string set = "s") =>
        Write(key, set).Op(OpCode.Write, bin, ParticleType.String, Encoding.UTF8.GetBytes(value));

    public static Digest DigestOf(string key, string set = "s") =>
        Ripemd160.OfKey(Encoding.UTF8.GetBytes(set), (byte)ParticleType.String, Encoding.UTF8.GetBytes(key));

    public static byte[] Integer(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Double(double value) => Integer(BitConverter.DoubleToInt64Bits(value));

    public WireRequest Flags(Info1 flags)
    {
        _info1 |= flags;
        return this;
    }

    public WireRequest Flags(Info2 flags)
    {
        _info2 |= flags;
        return this;
    }

    public WireRequest Flags(Info3 flags)
    {
        _info3 |= flags;
        return this;
    }

    public WireRequest Generation(uint generation)
    {
        _generation = generation;
        return this;
    }

    public WireRequest Ttl(uint ttl)
    {
        _ttl = ttl;
        return this;
    }

    public WireRequest Timeout(uint milliseconds)
    {
        _timeout = milliseconds;
        return this;
    }

    public WireRequest Record(string key, string set, string ns = "test")
    {
        Field(FieldId.Namespace, Encoding.UTF8.GetBytes(ns));
        if (set.Length > 0)
        {
            Field(FieldId.Set, Encoding.UTF8.GetBytes(set));
        }

        return Field(FieldId.Digest, DigestOf(key, set).ToArray());
    }

    public WireRequest SendKey(string key) =>
        Field(FieldId.Key, [(byte)ParticleType.String, .. Encoding.UTF8.GetBytes(key)]);

    public WireRequest Field(FieldId id, ReadOnlySpan<byte> data)
    {
        Span<byte> header = stackalloc byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(header, (uint)data.Length + 1);
        header[4] = (byte)id;
        _fields.AddRange(header);
        _fields.AddRange(data);
        _fieldCount++;
        return this;
    }

    public WireRequest Op(OpCode code, string name, ParticleType type = ParticleType.Null, ReadOnlySpan<byte> value = default)
    {
        var nameBytes = Encoding.UTF8.GetBytes(name);
        Span<byte> header = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(header, (uint)(4 + nameBytes.Length + value.Length));
        header[4] = (byte)code;
        header[5] = (byte)type;
        header[6] = 0;
        header[7] = (byte)nameBytes.Length;
        _ops.AddRange(header);
        _ops.AddRange(nameBytes);
        _ops.AddRange(value);
        _opCount++;
        return this;
    }

    public byte[] Bytes()
    {
        var body = MessageHeader.Length + _fields.Count + _ops.Count;
        var bytes = new byte[ProtoHeader.Length + body];
        ProtoHeader.Write(bytes, ProtoType.Message, body);
        new MessageHeader
        {
            Info1 = _info1,
            Info2 = _info2,
            Info3 = _info3,
            Generation = _generation,
            Ttl = _ttl,
            Timeout = _timeout,
            FieldCount = (ushort)_fieldCount,
            OpCount = (ushort)_opCount,
        }.Write(bytes.AsSpan(ProtoHeader.Length));
        _fields.ToArray().CopyTo(bytes.AsSpan(ProtoHeader.Length + MessageHeader.Length));
        _ops.ToArray().CopyTo(bytes.AsSpan(ProtoHeader.Length + MessageHeader.Length + _fields.Count));
        return bytes;
    }
}

/// One message of a reply, taken apart.
public sealed record WireReply(MessageHeader Header, IReadOnlyDictionary<FieldId, byte[]> Fields, IReadOnlyList<WireBin> Ops)
{
    public ResultCode Result => (ResultCode)Header.Result;

    /// Of the record, in a reply; a request has its time to live in the same place.
    public uint VoidTime => Header.Ttl;

    /// All messages of all frames. Throws on anything that is not one.
    public static IReadOnlyList<WireReply> ReadAll(ReadOnlySpan<byte> bytes)
    {
        var replies = new List<WireReply>();
        while (!bytes.IsEmpty)
        {
            var frame = ProtoHeader.Read(bytes);
            Invariant.Holds(frame is { Version: ProtoHeader.CurrentVersion, Type: ProtoType.Message });
            var body = bytes.Slice(ProtoHeader.Length, (int)frame.BodyLength);
            bytes = bytes[(ProtoHeader.Length + body.Length)..];
            while (!body.IsEmpty)
            {
                body = body[ReadOne(body, replies)..];
            }
        }

        return replies;
    }

    public static WireReply Read(ReadOnlySpan<byte> bytes)
    {
        var all = ReadAll(bytes);
        Invariant.Holds(all.Count == 1, $"one reply, not {all.Count}");
        return all[0];
    }

    public WireBin this[string bin] => Ops.Single(op => string.Equals(op.Name, bin, StringComparison.Ordinal));

    private static int ReadOne(ReadOnlySpan<byte> body, List<WireReply> replies)
    {
        Invariant.Holds(MessageHeader.TryRead(body, out var header));
        var fields = new Dictionary<FieldId, byte[]>();
        var offset = MessageHeader.Length;
        for (var i = 0; i < header.FieldCount; i++)
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(body[offset..]);
            fields.Add((FieldId)body[offset + 4], body.Slice(offset + 5, size - 1).ToArray());
            offset += 4 + size;
        }

        var ops = new Ops(body[offset..], header.OpCount);
        var bins = new List<WireBin>();
        while (ops.TryNext(out var op))
        {
            bins.Add(new WireBin(Encoding.UTF8.GetString(op.Name), (ParticleType)op.ParticleType, op.Value.ToArray()));
        }

        Invariant.Holds(!ops.Malformed);
        replies.Add(new WireReply(header, fields, bins));
        return offset + ops.Offset;
    }
}

public sealed record WireBin(string Name, ParticleType Type, byte[] Value)
{
    public string Text => Encoding.UTF8.GetString(Value);

    public long Number => BinaryPrimitives.ReadInt64BigEndian(Value);

    public double Float => BinaryPrimitives.ReadDoubleBigEndian(Value);
}
