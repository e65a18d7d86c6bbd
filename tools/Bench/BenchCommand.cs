using System.CommandLine;
using System.Text.Json;
using Aerie.Client.Cluster;
using Aerie.Tools.Suite;

namespace Aerie.Tools.Bench;

/// `aerie bench`: one workload against one address.
public static class BenchCommand
{
    private static readonly BenchOptions Defaults = new();

    private static readonly Option<string> Host = New("--host", "127.0.0.1:3000", "server, host:port");
    private static readonly Option<string> Namespace = New("--namespace", Defaults.Namespace, "namespace");
    private static readonly Option<string> Set = New("--set", Defaults.Set, "set");
    private static readonly Option<int> Keys = New("--keys", Defaults.Keys, "integer keys 0 to this, exclusive");
    private static readonly Option<string> Work = New(
        "--workload", Defaults.Workload.Name, $"what to do: {string.Join(", ", Workload.All)}");
    private static readonly Option<RecordShape> Shape = New(
        "--record", Defaults.Shape, $"what an insert writes: {string.Join("; ", Enum.GetValues<RecordShape>().Select(Purpose))}");
    private static readonly Option<int> ValueSize = New("--value-size", Defaults.ValueSize, "bytes in a text");
    private static readonly Option<int> Connections = New("--connections", Defaults.Connections, "connections over all threads");
    private static readonly Option<double> Duration = New(
        "--duration", 10.0, "seconds; an insert ends with the last key, utxo when all is spent if that is sooner");
    private static readonly Option<double> Warmup = New("--warmup", 0.0, "seconds before measuring starts");
    private static readonly Option<double> Rate = New(
        "--rate", 0.0, "requests per second, measured from when each was due; 0: closed loop");
    private static readonly Option<int> Threads = New("--threads", Defaults.Threads, "threads of the generator");
    private static readonly Option<int> BatchSize = New("--batch-size", Defaults.BatchSize, "keys per batch");
    private static readonly Option<int> Pipeline = New("--pipeline", Defaults.Pipeline, "requests in flight per connection");
    private static readonly Option<ulong> Seed = New("--seed", Defaults.Seed, "the same seed chooses the same keys");
    private static readonly Option<int?> Pid = New<int?>("--pid", null, "server process: prints its processor time per operation");
    private static readonly Option<bool> Json = New("--json", false, "print the result as JSON");
    private static readonly Option<bool> Percentiles = New("--percentiles", false, "print all percentiles");
    private static readonly Option<bool> Quiet = New("--quiet", false, "no line per second");

    public static Command Create()
    {
        var command = new Command("bench", "Generate load and measure it")
        {
            Host, Namespace, Set, Keys, Work, Shape, ValueSize, Connections, Duration, Warmup, Rate, Threads, BatchSize, Pipeline, Seed,
            Pid, Json, Percentiles, Quiet, SuiteCommand.Create(),
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        try
        {
            var options = Read(parsed);
            var progress = parsed.GetValue(Quiet) ? null : Console.Error;
            progress?.WriteLine($"{options.Workload} on {options.Host}: preparing {options.Keys} keys");
            options.Workload.Module?.Register(options.Host);
            var result = new LoadRun(options, interval => progress?.WriteLine(interval)).Execute();
            Print(result, parsed.GetValue(Json), parsed.GetValue(Percentiles));
            return result.Errors == 0 ? 0 : 1;
        }
        catch (Exception failure) when (failure is BenchException or FormatException)
        {
            Console.Error.WriteLine(failure.Message);
            return 2;
        }
    }

    private static BenchOptions Read(ParseResult parsed)
    {
        var name = parsed.GetValue(Work)!;
        var workload = Workload.Named(name)
            ?? throw new BenchException($"--workload knows {string.Join(", ", Workload.All)}; not {name}");
        var isSingle = workload.IsOneByOne;
        return new BenchOptions
        {
            Host = HostAddress.Parse(parsed.GetValue(Host)!),
            Namespace = parsed.GetValue(Namespace)!,
            Set = parsed.GetValue(Set)!,
            Keys = parsed.GetValue(Keys),
            Workload = workload,
            Shape = parsed.GetValue(Shape),
            ValueSize = parsed.GetValue(ValueSize),
            Connections = isSingle ? 1 : parsed.GetValue(Connections),
            Duration = BenchOptions.Seconds(parsed.GetValue(Duration)),
            Warmup = BenchOptions.Seconds(parsed.GetValue(Warmup)),
            Rate = parsed.GetValue(Rate),
            Threads = isSingle ? 1 : parsed.GetValue(Threads),
            BatchSize = parsed.GetValue(BatchSize),
            Pipeline = isSingle ? 1 : parsed.GetValue(Pipeline),
            Seed = parsed.GetValue(Seed),
            Pid = parsed.GetValue(Pid),
        };
    }

    private static void Print(BenchResult result, bool json, bool percentiles)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(result, BenchResult.Json));
            return;
        }

        Console.WriteLine(
            $"{result.Workload}: {result.Operations:N0} operations in {result.Seconds:N2} s, {result.OperationsPerSecond:N0} per second,"
            + $" {result.Errors} errors");
        string[] shown = percentiles ? [.. result.LatencyMicroseconds.Keys] : ["p50", "p99", "p99.9", "max"];
        Console.WriteLine("latency µs: " + string.Join("  ", shown.Select(name => $"{name} {result.LatencyMicroseconds[name]:N1}")));
        if (result.Server is { } server)
        {
            Console.WriteLine(
                $"server CPU per operation: {server.CpuMicroseconds:N2} µs (user {server.UserMicroseconds:N2},"
                + $" system {server.SystemMicroseconds:N2})");
        }

        if (result.Unsent > 0)
        {
            Console.WriteLine($"due but not sent: {result.Unsent:N0}");
        }

        if (result.Errors > 0)
        {
            Console.WriteLine($"first error: {result.FirstError}");
            Console.WriteLine("errors: " + string.Join(", ", result.ErrorsByKind.Select(kind => $"{kind.Key} × {kind.Value:N0}")));
        }
    }

    private static string Purpose(RecordShape shape)
    {
        var users = Workload.All.Where(workload => workload != Workload.Insert && workload.Shape == shape);
        return $"{shape.ToString().ToLowerInvariant()} for {string.Join(", ", users)}";
    }

    private static Option<T> New<T>(string name, T value, string description) =>
        new(name) { DefaultValueFactory = _ => value, Description = description };
}
