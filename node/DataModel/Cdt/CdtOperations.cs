using static Aerie.DataModel.Cdt.CdtArgument;

namespace Aerie.DataModel.Cdt;

/// The table of all operations on lists and maps, by their codes on the wire.
internal static class CdtOperations
{
    /// Runs an operation at the end of a path: [0xFF, path, operation].
    public const int AtPath = 0xFF;

    /// Selects or changes by a path with expressions: [0xFE, …].
    public const int ByPathExpressions = 0xFE;

    public static IReadOnlyList<CdtOperation> All { get; } =
    [
        Change(0, "list set type", 1, ListWrites.SetType, [Integer]),
        Change(1, "list append", 1, ListWrites.Append, [Value, Integer, Integer]),
        Change(2, "list append items", 1, ListWrites.AppendItems, [List, Integer, Integer]),
        Change(3, "list insert", 2, ListWrites.Insert, [Integer, Value, Integer]),
        Change(4, "list insert items", 2, ListWrites.InsertItems, [Integer, List, Integer]),
        Old(5, "list pop", CdtSelector.Index, CdtReturn.Value, true, [Integer]),
        Old(6, "list pop range", CdtSelector.IndexRange, CdtReturn.Value, true, [Integer, Integer]),
        Old(7, "list remove", CdtSelector.Index, CdtReturn.Count, true, [Integer]),
        Old(8, "list remove range", CdtSelector.IndexRange, CdtReturn.Count, true, [Integer, Integer]),
        Change(9, "list set", 2, ListWrites.Set, [Integer, Value, Integer]),
        Old(ListTrim, "list trim", CdtSelector.IndexRange, CdtReturn.Count | CdtReturn.Inverted, true, [Integer, Integer]),
        Change(11, "list clear", 0, ListWrites.Clear, [], creates: false),
        Change(12, "list increment", 1, ListWrites.Increment, [Integer, Value, Integer, Integer]),
        Change(13, "list sort", 0, ListWrites.Sort, [Integer], creates: false),
        Size(16, "list size"),
        Old(17, "list get", CdtSelector.Index, CdtReturn.Value, false, [Integer]),
        Old(18, "list get range", CdtSelector.IndexRange, CdtReturn.Value, false, [Integer, Integer]),
        .. Selections(onMap: false, "list get by ", 19, 20, 21, 22, 23, 24, 25, 26, 27),
        .. Selections(onMap: false, "list remove by ", 32, 33, 34, 35, 36, 37, 38, 39, 40),

        Change(64, "map set type", 1, MapWrites.SetType, [Integer]),
        Change(65, "map add", 2, MapWrites.Add, [Value, Value, Integer]),
        Change(66, "map add items", 1, MapWrites.AddItems, [Map, Integer]),
        Change(67, "map put", 2, MapWrites.Put, [Value, Value, Integer, Integer]),
        Change(68, "map put items", 1, MapWrites.PutItems, [Map, Integer, Integer]),
        Change(69, "map replace", 2, MapWrites.Replace, [Value, Value]),
        Change(70, "map replace items", 1, MapWrites.ReplaceItems, [Map]),
        Change(73, "map increment", 1, MapWrites.Increment, [Value, Value, Integer]),
        Change(74, "map decrement", 1, MapWrites.Decrement, [Value, Value, Integer]),
        Change(75, "map clear", 0, MapWrites.Clear, [], creates: false),
        .. Selections(onMap: true, "map remove by ", 77, 78, 79, 82, 83, 85, 86, 87, 89),
        .. KeySelections("map remove by ", 76, 81, 84, 88),
        Size(96, "map size"),
        .. Selections(onMap: true, "map get by ", 98, 99, 100, 102, 108, 104, 105, 106, 110),
        .. KeySelections("map get by ", 97, 107, 103, 109),
    ];

    internal const byte ListTrim = 10;

    private const byte FirstMapCode = 64;
    private static readonly CdtOperation?[] ByCode = MakeByCode();

    public static CdtOperation? Find(long code) => (ulong)code < (ulong)ByCode.Length ? ByCode[code] : null;

    private static CdtOperation[] Selections(bool onMap, string name, params ReadOnlySpan<byte> codes) =>
    [
        Select(codes[0], onMap, name + "index", CdtSelector.Index, 2, [Integer, Integer]),
        Select(codes[1], onMap, name + "value", CdtSelector.Value, 2, [Integer, Value]),
        Select(codes[2], onMap, name + "rank", CdtSelector.Rank, 2, [Integer, Integer]),
        Select(codes[3], onMap, name + "value, all", CdtSelector.AllByValue, 2, [Integer, Value]),
        Select(codes[4], onMap, name + "values", CdtSelector.ValueList, 2, [Integer, List]),
        Select(codes[5], onMap, name + "index range", CdtSelector.IndexRange, 2, [Integer, Integer, Integer]),
        Select(codes[6], onMap, name + "value interval", CdtSelector.ValueInterval, 2, [Integer, Value, Value]),
        Select(codes[7], onMap, name + "rank range", CdtSelector.RankRange, 2, [Integer, Integer, Integer]),
        Select(codes[8], onMap, name + "rank from a value", CdtSelector.ValueRelativeRank, 3, [Integer, Value, Integer, Integer]),
    ];

    private static CdtOperation[] KeySelections(string name, params ReadOnlySpan<byte> codes) =>
    [
        Select(codes[0], true, name + "key", CdtSelector.Key, 2, [Integer, Value]),
        Select(codes[1], true, name + "keys", CdtSelector.KeyList, 2, [Integer, List]),
        Select(codes[2], true, name + "key interval", CdtSelector.KeyInterval, 2, [Integer, Value, Value]),
        Select(codes[3], true, name + "index from a key", CdtSelector.KeyRelativeIndex, 3, [Integer, Value, Integer, Integer]),
    ];

    private static CdtOperation Select(byte code, bool onMap, string name, CdtSelector selector, int required, CdtArgument[] shape) => new()
    {
        Code = code,
        Name = name,
        OnMap = onMap,
        Modifies = name.Contains(" remove ", StringComparison.Ordinal),
        Selector = selector,
        Required = required,
        Shape = shape,
    };

    private static CdtOperation Old(byte code, string name, CdtSelector selector, int returns, bool removes, CdtArgument[] shape) => new()
    {
        Code = code,
        Name = name,
        OnMap = false,
        Modifies = removes,
        Selector = selector,
        Returns = returns,
        Required = 1,
        Shape = shape,
    };

    private static CdtOperation Change(
        byte code, string name, int required, CdtWrite write, CdtArgument[] shape, bool creates = true) => new()
    {
        Code = code,
        Name = name,
        OnMap = code >= FirstMapCode,
        Modifies = true,
        Creates = creates,
        Write = write,
        Required = required,
        Shape = shape,
    };

    private static CdtOperation Size(byte code, string name) => new()
    {
        Code = code,
        Name = name,
        OnMap = code >= FirstMapCode,
        Write = CdtAnswer.Size,
        Required = 0,
        Shape = [],
    };

    private static CdtOperation?[] MakeByCode()
    {
        var byCode = new CdtOperation?[byte.MaxValue + 1];
        foreach (var operation in All)
        {
            byCode[operation.Code] = operation;
        }

        return byCode;
    }
}
