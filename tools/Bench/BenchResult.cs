using System.Text.Json;
using Aerie.Foundation;

namespace Aerie.Tools.Bench;

/// What one run measured. Operations are records; latencies are of requests, in microseconds.
public sealed record BenchResult
{
    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        WriteIndented = true,
    };

    public required string Workload { get; init; }

    public required double Seconds { get; init; }

    public required long Operations { get; init; }

    public required long Requests { get; init; }

    public required double OperationsPerSecond { get; init; }

    public required long Errors { get; init; }

    /// By result code, and what had none: answers that cannot be right, lost with a connection, unanswered at the end.
    public required IReadOnlyDictionary<string, long> ErrorsByKind { get; init; }

    public required string? FirstError { get; init; }

    /// Open loop: requests that were due and found no free connection until the end.
    public required long Unsent { get; init; }

    public required IReadOnlyDictionary<string, double> LatencyMicroseconds { get; init; }

    public required ServerCost? Server { get; init; }

    public static string CodeName(int code) => Enum.IsDefined((ResultCode)code) ? $"{code} ({(ResultCode)code})" : $"{code}";

    internal static BenchResult Of(
        LoadPlan plan, IReadOnlyList<LoadLoop> loops, LatencyHistogram latencies, double seconds, ServerCpu? used)
    {
        var errors = ErrorsOf(loops);
        var operations = loops.Sum(loop => loop.Operations);
        return new BenchResult
        {
            Workload = plan.Options.Workload.Name,
            Seconds = seconds,
            Operations = operations,
            Requests = latencies.Count,
            OperationsPerSecond = operations / seconds,
            Errors = errors.Values.Sum(),
            ErrorsByKind = errors,
            FirstError = loops.Select(loop => loop.FirstFailure).FirstOrDefault(failure => failure is not null),
            Unsent = loops.Sum(loop => loop.Unsent),
            LatencyMicroseconds = Percentiles(latencies),
            Server = used is { } cpu ? ServerCost.Of(cpu, operations) : null,
        };
    }

    private static SortedDictionary<string, long> ErrorsOf(IReadOnlyList<LoadLoop> loops)
    {
        var errors = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (var code = 0; code < 256; code++)
        {
            Add(CodeName(code), loops.Sum(loop => loop.Tally.ByCode[code]));
        }

        Add(ReplyTally.UnexpectedAnswer, loops.Sum(loop => loop.Tally.Unexpected));
        Add("connection lost", loops.Sum(loop => loop.Lost));
        Add("no answer", loops.Sum(loop => loop.Unanswered));
        return errors;

        void Add(string kind, long count)
        {
            if (count > 0)
            {
                errors.Add(kind, count);
            }
        }
    }

    private static Dictionary<string, double> Percentiles(LatencyHistogram latencies)
    {
        double[] wanted = [50, 75, 90, 95, 99, 99.5, 99.9, 99.99];
        var percentiles = wanted.ToDictionary(percent => $"p{percent}", latencies.PercentileMicroseconds, StringComparer.Ordinal);
        percentiles.Add("max", latencies.Max / 1000.0);
        return percentiles;
    }
}

/// Processor time of the server per operation, in microseconds.
public sealed record ServerCost(double CpuMicroseconds, double UserMicroseconds, double SystemMicroseconds, double CoresUsedSeconds)
{
    public static ServerCost Of(ServerCpu used, long operations)
    {
        var each = operations > 0 ? used.Seconds * 1e6 / operations : 0;
        return new ServerCost(each, each * used.UserShare, each * (1 - used.UserShare), used.Seconds);
    }
}
