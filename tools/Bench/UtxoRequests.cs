using Aerie.Client;
using Aerie.DataModel.Packed;

namespace Aerie.Tools.Bench;

/// Batches of calls as a ledger of transactions makes them: each row on another transaction with arguments of its own.
internal static class UtxoRequests
{
    public const int SpendsPerCall = 4;

    private const int Groups = RecordShapes.Outputs / SpendsPerCall;
    private const int SpendingLength = 36;
    private const int Height = 800_100;
    private const int Retention = 288;

    /// Frozen and thawed again before it is spent.
    private const int FrozenOutput = 2 * SpendsPerCall;

    private static readonly WritePolicy Whole = new() { Exists = ExistsAction.Replace };

    private static readonly Operation[] Created =
        [.. RecordShapes.BinsOf(RecordShape.Outputs, 0).Select(bin => Operation.Put(bin.Name, bin.Value))];

    /// A record's life, step by step. None fails, whatever the steps before it on other records.
    private static readonly Func<int, Key, BatchEntry>[] Life =
    [
        (_, key) => new BatchEntry(key, Created) { Policy = Whole },
        (row, key) => Spend(row, key, 0),
        (row, key) => Spend(row, key, 1),
        (_, key) => Call(key, "unspend", 0, Height, Retention),
        (_, key) => Call(key, "freeze", FrozenOutput),
        (_, key) => Call(key, "unfreeze", FrozenOutput),
        (row, key) => Spend(row, key, 2),
        (row, key) => Spend(row, key, 3),
    ];

    public static int Steps => Life.Length;

    /// Over a whole life, for each of its steps.
    public static double SpendsPerStep => (double)RecordShapes.Outputs / Steps;

    /// Of the map that each function answers: the pair `status` and `OK`.
    public static byte[] Success { get; } =
    [
        .. Packed.Of(writer =>
        {
            writer.Text("status");
            writer.Text("OK");
        }),
    ];

    /// A request for each group of outputs: sent one after the other to all records, they spend everything once.
    public static IEnumerable<RequestTemplate> Spends(RequestBuilder build) => Enumerable.Range(0, Groups)
        .Select(group => build.Batch(build.Options.BatchSize, (row, key) => Spend(row, key, group)));

    public static IEnumerable<RequestTemplate> Lives(RequestBuilder build)
    {
        var rows = build.Options.BatchSize / Steps * Steps;
        return Enumerable.Range(0, Steps).Select(last =>
            build.Batch(rows, (row, key) => Life[row % Steps <= last ? row % Steps : 0](row, key)));
    }

    private static BatchEntry Spend(int row, Key key, int group) => Call(key, "spendMulti", writer =>
    {
        writer.List(5);
        writer.List(SpendsPerCall);
        for (var i = 0; i < SpendsPerCall; i++)
        {
            WriteSpend(writer, (row * SpendsPerCall) + i, (group * SpendsPerCall) + i);
        }

        writer.Bool(false); // conflicting ones are not ignored
        writer.Bool(false); // nor locked ones
        writer.Integer(Height);
        writer.Integer(Retention);
    });

    private static void WriteSpend(PackedWriter writer, int index, int output)
    {
        var spending = new byte[SpendingLength];
        RecordShapes.OutputHash(output ^ byte.MaxValue).CopyTo(spending, 0);
        writer.Map(5);
        writer.Text("idx");
        writer.Integer(index);
        writer.Text("offset");
        writer.Integer(output);
        writer.Text("vOut");
        writer.Integer(output);
        writer.Text("utxoHash");
        writer.Blob(RecordShapes.OutputHash(output));
        writer.Text("spendingData");
        writer.Blob(spending);
    }

    private static BatchEntry Call(Key key, string function, int output, params int[] more) => Call(key, function, writer =>
    {
        writer.List(2 + more.Length);
        writer.Integer(output);
        writer.Blob(RecordShapes.OutputHash(output));
        foreach (var number in more)
        {
            writer.Integer(number);
        }
    });

    private static BatchEntry Call(Key key, string function, Action<PackedWriter> arguments) =>
        new(key, new FunctionCall(ScriptModule.Utxo.Name, function, Packed.Of(arguments)));
}
