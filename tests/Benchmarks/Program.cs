using System.Globalization;
using Aerie.Benchmarks;

var benchmark = args.Length > 0 ? args[0] : "";
var records = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10_000_000;
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
    case "cdt":
        CdtBenchmark.Run(Console.Out);
        return 0;
    case "many-records":
        ManyRecordsBenchmark.Run(args.Length > 1 ? records : 1_000_000);
        return 0;
    default:
        Console.Error.WriteLine("usage: Aerie.Benchmarks index|index-growth|storage|codec|cdt|many-records [records]");
        return 2;
}
