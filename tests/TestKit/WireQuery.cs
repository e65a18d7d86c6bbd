using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.TestKit;

/// Builds query requests as clients send them.
public sealed class WireQuery
{
    private readonly WireRequest _request = new();

    public WireQuery(string? set = "s", string ns = "test")
        : this(Info1.Read, set, ns)
    {
    }

    private WireQuery(Info1 info1, string? set, string ns)
    {
        _request.Flags(info1);
        _request.Field(FieldId.Namespace, Encoding.UTF8.GetBytes(ns));
        if (set is not null)
        {
            _request.Field(FieldId.Set, Encoding.UTF8.GetBytes(set));
        }
    }

    /// Operations on every record, which nobody waits for.
    public static WireQuery Background(string? set = "s", string ns = "test") => new WireQuery(Info1.None, set, ns).Flags(Info2.Write);

    public WireQuery Partitions(params IEnumerable<int> partitions) =>
        Field(FieldId.Partitions, [.. partitions.SelectMany(id => new[] { (byte)id, (byte)(id >> 8) })]);

    public WireQuery AllPartitions() => Partitions(Enumerable.Range(0, Digest.PartitionCount));

    public WireQuery Resume(params IEnumerable<Digest> digests) =>
        Field(FieldId.ResumeDigests, [.. digests.SelectMany(digest => digest.ToArray())]);

    public WireQuery MaxRecords(ulong count) => Number(FieldId.MaxRecords, count);

    public WireQuery Id(ulong id) => Number(FieldId.QueryId, id);

    public WireQuery RecordsPerSecond(uint count) => Number(FieldId.RecordsPerSecond, count);

    public WireQuery SocketTimeout(uint milliseconds) => Number(FieldId.SocketTimeout, milliseconds);

    public WireQuery Bins(params string[] names)
    {
        foreach (var name in names)
        {
            _request.Op(OpCode.Read, name);
        }

        return this;
    }

    public WireQuery Op(OpCode code, string name, ParticleType type = ParticleType.Null, ReadOnlySpan<byte> value = default)
    {
        _request.Op(code, name, type, value);
        return this;
    }

    public WireQuery Ttl(uint ttl)
    {
        _request.Ttl(ttl);
        return this;
    }

    public WireQuery Flags(Info1 flags)
    {
        _request.Flags(flags);
        return this;
    }

    public WireQuery Flags(Info2 flags)
    {
        _request.Flags(flags);
        return this;
    }

    public WireQuery Flags(Info3 flags)
    {
        _request.Flags(flags);
        return this;
    }

    public WireQuery Field(FieldId id, ReadOnlySpan<byte> data)
    {
        _request.Field(id, data);
        return this;
    }

    public byte[] Bytes() => _request.Bytes();

    private WireQuery Number(FieldId id, ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return Field(id, bytes);
    }

    private WireQuery Number(FieldId id, uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return Field(id, bytes);
    }
}
