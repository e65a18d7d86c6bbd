using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.TestKit;

/// Builds batch requests row by row, with every freedom to lie. Rows get the indexes 0, 1, 2 …
public sealed class WireBatch
{
    public const BatchFlags UsualFlags = BatchFlags.InlineMemory | BatchFlags.RespondAllKeys;

    private const byte Repeats = 0x01;
    private const byte HasInfo = 0x02;
    private const byte HasGeneration = 0x04;
    private const byte HasTtl = 0x08;

    private readonly List<byte> _rows = [];

    public int Count { get; private set; }

    /// What the request says instead of the true count.
    public uint? CountClaimed { get; set; }

    public BatchFlags Flags { get; set; } = UsualFlags;

    public FieldId FieldId { get; set; } = FieldId.Batch;

    public Info1 Info1 { get; set; } = Info1.Batch;

    public uint Timeout { get; set; }

    public static WireBatch ReadsOf(IEnumerable<string> keys)
    {
        var batch = new WireBatch();
        foreach (var key in keys)
        {
            _ = batch.Count == 0 ? batch.Read(key) : batch.Repeat(key);
        }

        return batch;
    }

    /// All bins, or the named ones.
    public WireBatch Read(string key, params string[] bins)
    {
        Begin(key, HasInfo | HasTtl);
        _rows.AddRange([(byte)(bins.Length == 0 ? Info1.Read | Info1.GetAll : Info1.Read), 0, 0, 0, 0, 0, 0]);
        Target(bins.Length);
        foreach (var bin in bins)
        {
            Op(OpCode.Read, bin, ParticleType.Null, "");
        }

        return this;
    }

    public WireBatch Exists(string key)
    {
        Begin(key, HasInfo | HasTtl);
        _rows.AddRange([(byte)(Info1.Read | Info1.NoBinData), 0, 0, 0, 0, 0, 0]);
        Target(0);
        return this;
    }

    /// The form of clients that knew reads only.
    public WireBatch OldRead(string key)
    {
        Begin(key, 0);
        _rows.Add((byte)(Info1.Read | Info1.GetAll));
        Target(0);
        return this;
    }

    public WireBatch Put(string key, string bin, string value, Info2 info2 = Info2.None, string ns = "test")
    {
        Begin(key, HasInfo | HasGeneration | HasTtl);
        _rows.AddRange([0, (byte)(Info2.Write | info2), 0, 0, 0, 0, 0, 0, 0]);
        Target(1, ns);
        Op(OpCode.Write, bin, ParticleType.String, value);
        return this;
    }

    public WireBatch Delete(string key)
    {
        Begin(key, HasInfo | HasGeneration | HasTtl);
        _rows.AddRange([0, (byte)(Info2.Write | Info2.Delete), 0, 0, 0, 0, 0, 0, 0]);
        Target(0);
        return this;
    }

    public WireBatch Call(string key, string module, string function, byte[] arguments)
    {
        Begin(key, HasInfo | HasGeneration | HasTtl);
        _rows.AddRange([0, (byte)Info2.Write, 0, 0, 0, 0, 0, 0, 0]);
        _rows.AddRange([0, 5, 0, 0]);
        Text(FieldId.Namespace, "test");
        Text(FieldId.Set, "s");
        Text(FieldId.UdfModule, module);
        Text(FieldId.UdfFunction, function);
        _rows.AddRange([0, 0, 0, (byte)(arguments.Length + 1), (byte)FieldId.UdfArguments, .. arguments]);
        return this;
    }

    /// As the row before, for another key.
    public WireBatch Repeat(string key)
    {
        Begin(key, Repeats);
        return this;
    }

    public WireBatch Raw(params byte[] bytes)
    {
        _rows.AddRange(bytes);
        return this;
    }

    /// Prologue and rows.
    public byte[] Field()
    {
        var field = new byte[5 + _rows.Count];
        BinaryPrimitives.WriteUInt32BigEndian(field, CountClaimed ?? (uint)Count);
        field[4] = (byte)Flags;
        _rows.CopyTo(field, 5);
        return field;
    }

    public byte[] Bytes() => new WireRequest().Flags(Info1).Timeout(Timeout).Field(FieldId, Field()).Bytes();

    private void Begin(string key, byte type)
    {
        var index = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(index, (uint)Count++);
        _rows.AddRange([.. index, .. WireRequest.DigestOf(key).ToArray(), type]);
    }

    private void Target(int ops, string ns = "test")
    {
        _rows.AddRange([0, 2, (byte)(ops >> 8), (byte)ops]);
        Text(FieldId.Namespace, ns);
        Text(FieldId.Set, "s");
    }

    private void Text(FieldId id, string text) =>
        _rows.AddRange([0, 0, 0, (byte)(text.Length + 1), (byte)id, .. Encoding.UTF8.GetBytes(text)]);

    private void Op(OpCode code, string bin, ParticleType type, string value)
    {
        var size = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, 4 + bin.Length + value.Length);
        _rows.AddRange([.. size, (byte)code, (byte)type, 0, (byte)bin.Length]);
        _rows.AddRange([.. Encoding.UTF8.GetBytes(bin), .. Encoding.UTF8.GetBytes(value)]);
    }
}
