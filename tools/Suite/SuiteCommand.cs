using System.CommandLine;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// `aerie bench suite`: the node beside the floor server, or computing beside plain requests, in turn, in one run.
public static class SuiteCommand
{
    public static Command Create()
    {
        var defaults = new SuiteOptions();
        var node = New("--node-bin", defaults.NodeBin, "the node's launcher");
        var floor = New("--floor", defaults.FloorBin, "the floor server, see tests/Floor");
        var folder = New("--out", defaults.Folder, "folder for bench.json, configuration and logs");
        var port = New("--port", defaults.FirstPort, "first of five ports: floor, node, and the node's own");
        var keys = New("--keys", defaults.Keys, "records to load");
        var mapKeys = New("--map-keys", defaults.MapKeys, "records with a map, for map-get and map-put");
        var numberKeys = New("--number-keys", defaults.NumberKeys, "records with six integers, for filter, operate, udf and udf-batch");
        var utxoKeys = New("--utxo-keys", defaults.UtxoKeys, "transactions with 16 outputs, for utxo and utxo-mixed");
        var seconds = New("--duration", defaults.Seconds, "seconds per measurement");
        var rounds = New("--rounds", defaults.Rounds, "measurements of each work on each server; medians are printed");
        var works = New("--works", string.Join(',', defaults.WorkNames), "which works, comma-separated; device-read: all sizes of it");
        var deviceFolder = New<string?>("--device-folder", null, "where the device works put their files; default: the folder of --out");
        var deviceSize = New("--device-mb", defaults.DeviceMegabytes, "size of the node's file in the device works");
        var deviceValue = New("--device-value-size", defaults.DeviceValueSize, "bytes in a record of the device works");
        var threads = New("--blocking-threads", defaults.BlockingThreads, "threads of the floor that wait for the device");
        var group = New<string?>("--memory-cgroup", null, "a memory cgroup made for the run: limits the node of the device works");
        var memory = New("--memory-mb", defaults.MemoryMegabytes, "the limit that --memory-cgroup is given");
        var command = new Command("suite", "Measure a node beside the floor server, and computing in records beside plain requests")
        {
            node, floor, folder, port, keys, mapKeys, numberKeys, utxoKeys, seconds, rounds, works, deviceFolder, deviceSize, deviceValue,
            threads, group, memory,
        };
        command.SetAction(parsed =>
        {
            var options = new SuiteOptions
            {
                NodeBin = parsed.GetValue(node)!,
                FloorBin = parsed.GetValue(floor)!,
                Folder = parsed.GetValue(folder)!,
                FirstPort = parsed.GetValue(port),
                Keys = parsed.GetValue(keys),
                MapKeys = parsed.GetValue(mapKeys),
                NumberKeys = parsed.GetValue(numberKeys),
                UtxoKeys = parsed.GetValue(utxoKeys),
                Seconds = parsed.GetValue(seconds),
                Rounds = parsed.GetValue(rounds),
                WorkNames = parsed.GetValue(works)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
                DeviceFolder = parsed.GetValue(deviceFolder),
                DeviceMegabytes = parsed.GetValue(deviceSize),
                DeviceValueSize = parsed.GetValue(deviceValue),
                MemoryGroup = parsed.GetValue(group),
                MemoryMegabytes = parsed.GetValue(memory),
                BlockingThreads = parsed.GetValue(threads),
            };
            return Run(options);
        });
        return command;
    }

    private static int Run(SuiteOptions options)
    {
        try
        {
            var report = new BenchSuite(options, Console.Error).Run();
            Console.Write(report.Table());
            report.WriteJson(Path.Combine(options.Folder, "bench.json"));
            return report.Rows.All(row => row.Errors == 0) ? 0 : 1;
        }
        catch (Exception failure) when (failure is BenchException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"bench: {failure.Message}");
            return 2;
        }
    }

    private static Option<T> New<T>(string name, T value, string description) =>
        new(name) { DefaultValueFactory = _ => value, Description = description };
}
