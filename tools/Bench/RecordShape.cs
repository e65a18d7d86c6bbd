using System.Security.Cryptography;
using Aerie.Client;
using Aerie.DataModel;
using Aerie.DataModel.Packed;

namespace Aerie.Tools.Bench;

/// What an insert writes.
public enum RecordShape
{
    /// One bin with a text.
    Text,

    /// A map of a thousand entries, ordered by key, and a small integer.
    Map,

    /// Six integers.
    Numbers,

    /// A transaction: a list of outputs to be spent, and what is kept beside it.
    Outputs,
}

/// The bins of each shape, the same in every record: what differs between records changes nothing that is measured.
internal static class RecordShapes
{
    public const int MapEntries = 1_000;

    /// Of each transaction.
    public const int Outputs = 16;

    /// The integer that maps and numbers have.
    public const string NumberBin = "n";

    public const string MapBin = "m";

    private const byte OrderedByKey = 1;

    /// The integers beside `n`; reads and adds of a workload go to these.
    public static IReadOnlyList<string> NumberBins { get; } = ["a", "b", "c", "d", "e"];

    public static Bin[] BinsOf(RecordShape shape, int valueSize) => shape switch
    {
        RecordShape.Map => [new Bin(NumberBin, 1L), new Bin(MapBin, Value.Raw(ParticleType.Map, Packed.Of(WriteMap)))],
        RecordShape.Numbers => [new Bin(NumberBin, 1L), .. NumberBins.Select((name, i) => new Bin(name, 10L * (i + 1)))],
        RecordShape.Outputs => Transaction(),
        _ => [new Bin("b", new string('v', valueSize))],
    };

    public static string MapKey(int entry) => $"key{entry:00000}";

    /// All values take the same five bytes, so that a record keeps its size whatever is put.
    public static long MapValue(int entry, int variant) => 100_000 + (10_000 * variant) + entry;

    public static byte[] OutputHash(int output) => SHA256.HashData([(byte)output]);

    private static void WriteMap(PackedWriter writer)
    {
        writer.Map(MapEntries + 1);
        writer.MapMark(OrderedByKey);
        for (var entry = 0; entry < MapEntries; entry++)
        {
            writer.Text(MapKey(entry));
            writer.Integer(MapValue(entry, 0));
        }
    }

    private static Bin[] Transaction() =>
    [
        new("txID", OutputHash(byte.MaxValue)),
        new("fee", 215L),
        new("sizeInBytes", 735L),
        new("recordUtxos", (long)Outputs),
        new("spentUtxos", 0L),
        new("locked", false),
        new("blockIDs", Value.Raw(ParticleType.List, Packed.Of(writer =>
        {
            writer.List(1);
            writer.Integer(800_000);
        }))),
        new("utxos", Value.Raw(ParticleType.List, Packed.Of(WriteOutputs))),
    ];

    private static void WriteOutputs(PackedWriter writer)
    {
        writer.List(Outputs);
        for (var output = 0; output < Outputs; output++)
        {
            writer.Blob(OutputHash(output));
        }
    }
}
