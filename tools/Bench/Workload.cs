using Aerie.Client;

namespace Aerie.Tools.Bench;

/// In which order keys and requests of a workload come.
internal enum KeyOrder
{
    /// Any request of the workload, with any key and those that follow it: as many as the request takes.
    Any,

    /// Every key once with the first request, then with the second, and so on; then the run ends.
    Once,

    /// A record goes through a life of as many steps as the workload has requests: the rows of a request do one step after the
    /// other, each on another record, and the next step of a record comes so much later that no connection can overtake. Request i
    /// has the first i + 1 steps and creates for the others: with those a run begins.
    Steps,
}

/// What to send: one row of the table below for each. A request that should come more often than others stands there more often.
public sealed class Workload
{
    /// What --record says. Ends with the last key, not with the time.
    public static readonly Workload Insert = new("insert", build => [build.Insert()]) { Order = KeyOrder.Once, IsTimed = false };

    /// Uniformly random keys, all bins.
    public static readonly Workload Read = new("read", build => [build.Read(null)]);

    /// Reads and updates, half and half.
    public static readonly Workload Mixed = new("mixed", build => [build.Read(null), build.Update()]);

    /// Updates of existing keys.
    public static readonly Workload Write = new("write", build => [build.Update()]);

    /// Batch reads; operations are counted in records.
    public static readonly Workload Batch = new("batch", build => [build.ReadBatch()]) { IsStream = true };

    /// Queries over all partitions, shared among the connections; operations are counted in records.
    public static readonly Workload Scan = new("scan", _ => []) { IsStream = true, IsScan = true };

    /// Reads on one connection, one after the other.
    public static readonly Workload Single = new("single", build => [build.Read(null)]) { IsOneByOne = true };

    /// The plain requests beside which those below stand: the bin `n`, of maps as well as of numbers.
    public static readonly Workload NumberGet = new("number-get", build => [build.Read(null, RecordShapes.NumberBin)])
    {
        Shape = RecordShape.Numbers,
        Answer = BinRequests.IntegerIn(RecordShapes.NumberBin),
    };

    public static readonly Workload NumberPut = new("number-put", build => build.NumberPuts()) { Shape = RecordShape.Numbers };

    public static readonly Workload NumberPutBatch = new("number-put-batch", build => build.NumberPutBatches())
    {
        Shape = RecordShape.Numbers,
        IsStream = true,
    };

    public static readonly Workload MapGet = new("map-get", build => build.MapGets())
    {
        Shape = RecordShape.Map,
        Answer = BinRequests.IntegerIn(RecordShapes.MapBin),
    };

    public static readonly Workload MapPut = new("map-put", build => build.MapPuts())
    {
        Shape = RecordShape.Map,
        Answer = BinRequests.IntegerIn(RecordShapes.MapBin, RecordShapes.MapEntries),
    };

    public static readonly Workload Filter = new("filter", build => [build.FilteredRead()]) { Shape = RecordShape.Numbers };

    public static readonly Workload Operate = new("operate", build => build.AddsAndReads()) { Shape = RecordShape.Numbers };

    public static readonly Workload Udf = new("udf", build => build.Calls())
    {
        Shape = RecordShape.Numbers,
        Module = ScriptModule.Bench,
        Answer = FunctionRequests.Success,
    };

    public static readonly Workload UdfBatch = new("udf-batch", build => build.CallBatches())
    {
        Shape = RecordShape.Numbers,
        Module = ScriptModule.Bench,
        Answer = FunctionRequests.Success,
        IsStream = true,
    };

    /// Batches of spends, until all outputs are spent.
    public static readonly Workload Utxo = new("utxo", build => UtxoRequests.Spends(build))
    {
        Shape = RecordShape.Outputs,
        Module = ScriptModule.Utxo,
        Answer = UtxoRequests.Success,
        IsStream = true,
        Order = KeyOrder.Once,
    };

    /// The same spends among creates, unspends, freezes and unfreezes.
    public static readonly Workload UtxoMixed = new("utxo-mixed", build => UtxoRequests.Lives(build))
    {
        Shape = RecordShape.Outputs,
        Module = ScriptModule.Utxo,
        Answer = UtxoRequests.Success,
        IsStream = true,
        Order = KeyOrder.Steps,
        Steps = UtxoRequests.Steps,
    };

    public static readonly IReadOnlyList<Workload> All =
    [
        Insert, Read, Mixed, Write, Batch, Scan, Single,
        NumberGet, NumberPut, NumberPutBatch, MapGet, MapPut, Filter, Operate, Udf, UdfBatch, Utxo, UtxoMixed,
    ];

    private readonly Func<RequestBuilder, IEnumerable<RequestTemplate>> _requests;

    private Workload(string name, Func<RequestBuilder, IEnumerable<RequestTemplate>> requests)
    {
        Name = name;
        _requests = requests;
    }

    public string Name { get; }

    /// The records that it needs.
    public RecordShape Shape { get; private init; } = RecordShape.Text;

    /// The functions that it calls; they must be registered before. Null: none.
    public ScriptModule? Module { get; private init; }

    /// Each request is answered by several records.
    public bool IsStream { get; private init; }

    public bool IsScan { get; private init; }

    /// On one connection, one request at a time, whatever the options say.
    public bool IsOneByOne { get; private init; }

    internal KeyOrder Order { get; private init; } = KeyOrder.Any;

    /// Of a record's life, for that order.
    internal int Steps { get; private init; } = 1;

    /// False: it ends when every key was sent, however long that takes, and is measured from the start.
    internal bool IsTimed { get; private init; } = true;

    /// What an answer must contain, if it has not several values: functions may refuse with one that is no error, and a map that
    /// is not there is none either. Empty: nothing.
    internal byte[] Answer { get; private init; } = [];

    /// Null: there is none of that name.
    public static Workload? Named(string name) =>
        All.FirstOrDefault(workload => workload.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    public override string ToString() => Name;

    internal RequestTemplate[] RequestsOf(BenchOptions options) => [.. _requests(new RequestBuilder(options))];
}
