using System.Globalization;
using Aerie.Benchmarks;

var benchmark = args.Length > 0 ? args[0] : "";
var records = args.Length > 1 && int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out var some) ? some : 10_000_000;
switch (benchmark)
{
    case "index":
        IndexBenchmark.Run(records);
        return 0;
    case "index-growth":
        IndexGrowth.Run(records);
        return 0;
    case "storage":
        StorageBenchmark.Run(Console.Out);
        return 0;
    case "codec":
        CodecBenchmark.Run(Console.Out);
        return 0;
    case "expressions":
        ExpressionBenchmark.Run(Console.Out);
        return 0;
    case "cdt":
        CdtBenchmark.Run(Console.Out);
        return 0;
    case "many-records":
        ManyRecordsBenchmark.Run(args.Length > 1 ? records : 1_000_000);
        return 0;
    case "udf":
        UdfBenchmark.Run(Console.Out, args.ElementAtOrDefault(1) ?? "", args.ElementAtOrDefault(2) ?? "");
        return 0;
    default:
        Console.Error.WriteLine("usage: Aerie.Benchmarks index|index-growth|storage|codec|cdt|expressions|many-records|udf [records]");
        return 2;
}
