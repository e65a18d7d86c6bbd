using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// One work: medians over the rounds. Times in microseconds, per operation unless they are latencies. What does not apply is null:
/// a floor stands beside reads and writes of whole records, a plain request beside what a node computes in one.
public sealed record SuiteRow
{
    public required string Work { get; init; }

    public required double NodeCpuUs { get; init; }

    public required double NodeUserUs { get; init; }

    public required double NodeSystemUs { get; init; }

    public double? FloorCpuUs { get; init; }

    public double? FloorUserUs { get; init; }

    /// Processor time of the node over that of the floor.
    public double? Ratio { get; init; }

    /// The plain request that it is compared with.
    public string? Base { get; init; }

    public double? BaseCpuUs { get; init; }

    /// Processor time beyond that of the plain request, and the most that it may be.
    public double? ExtraCpuUs { get; init; }

    public double? ExtraGoalUs { get; init; }

    /// The most that NodeCpuUs may be.
    public double? CpuGoalUs { get; init; }

    /// All that was done in the work, also beside spends, for each output that was spent.
    public double? CpuPerSpendUs { get; init; }

    public double? SpendsPerSecondPerCore { get; init; }

    /// Null where the node does not say.
    public required double? AllocBytesPerOp { get; init; }

    /// How many reads of the device the node needed; null where the records are in memory.
    public required double? DeviceReadsPerOp { get; init; }

    public required double NodeOpsPerSecond { get; init; }

    public double? FloorOpsPerSecond { get; init; }

    public required double P50Us { get; init; }

    public required double P99Us { get; init; }

    [JsonPropertyName("p99_9_us")]
    public required double P999Us { get; init; }

    public double? FloorP50Us { get; init; }

    public double? FloorP99Us { get; init; }

    [JsonPropertyName("floor_p99_9_us")]
    public double? FloorP999Us { get; init; }

    public required long Errors { get; init; }

    /// Null: there is no goal.
    [JsonIgnore]
    public bool? MeetsGoal => ExtraGoalUs is null && CpuGoalUs is null ? null : !(ExtraCpuUs > ExtraGoalUs) && !(NodeCpuUs > CpuGoalUs);
}

/// What `make bench` leaves behind: rows, and a line on each node.
public sealed record SuiteReport(IReadOnlyList<SuiteRow> Rows, IReadOnlyList<string> Notes)
{
    private const string HeadBesideFloor =
        "                       CPU s per million operations                ops/s     latency µs                  alloc device\n"
        + "work               node   user    sys | floor   user | ratio   per core      p50      p99    p99.9     B/op  reads";

    private const string HeadInRecord =
        "                 CPU µs per operation                                              ops/s     latency µs       alloc\n"
        + "in a record        node   user | plain request             |  extra goal         per core      p50      p99     B/op";

    private const string HeadSpends = "outputs          CPU µs per spend   spends/s per core";

    public string Table()
    {
        var text = new StringBuilder();
        Append(text, HeadBesideFloor, Rows.Where(row => row.FloorCpuUs is not null), BesideFloor);
        Append(text, HeadInRecord, Rows.Where(row => row.FloorCpuUs is null), InRecord);
        Append(text, HeadSpends, Rows.Where(row => row.CpuPerSpendUs is not null), Spends);
        Notes.ToList().ForEach(note => text.AppendLine(note));
        return text.ToString();
    }

    /// The rows alone, an array: figures that a pipeline compares from run to run.
    public void WriteJson(string file)
    {
        File.WriteAllText(file, JsonSerializer.Serialize(Rows, BenchResult.Json) + "\n");
    }

    private static void Append(StringBuilder text, string head, IEnumerable<SuiteRow> rows, Func<SuiteRow, string> line)
    {
        var lines = rows.Select(line).ToList();
        if (lines.Count > 0)
        {
            text.AppendLine(head);
            lines.ForEach(one => text.AppendLine(one));
        }
    }

    private static string BesideFloor(SuiteRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Work,-16} {row.NodeCpuUs,6:F2} {row.NodeUserUs,6:F2} {row.NodeSystemUs,6:F2} |"
        + $" {row.FloorCpuUs,5:F2} {row.FloorUserUs,6:F2} |"
        + $" {row.Ratio,5:F2} {PerCore(row),10:N0} {row.P50Us,8:F1} {row.P99Us,8:F1} {row.P999Us,8:F1} {row.AllocBytesPerOp,8:F2}"
        + $" {row.DeviceReadsPerOp,6:F2}");

    private static string InRecord(SuiteRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Work,-16} {row.NodeCpuUs,6:F2} {row.NodeUserUs,6:F2} | {row.Base,-17} {row.BaseCpuUs,7:F2} |"
        + $" {row.ExtraCpuUs,6:F2} {Goal(row),-14} {PerCore(row),6:N0} {row.P50Us,8:F1} {row.P99Us,8:F1} {row.AllocBytesPerOp,8:F2}");

    private static string Spends(SuiteRow row) => string.Create(
        CultureInfo.InvariantCulture, $"{row.Work,-16} {row.CpuPerSpendUs,16:F2} {row.SpendsPerSecondPerCore,19:N0}");

    /// What may be used more than by the plain request, or in all.
    private static string Goal(SuiteRow row)
    {
        var goal = row.ExtraGoalUs is { } extra ? string.Create(CultureInfo.InvariantCulture, $"+{extra:F1}")
            : row.CpuGoalUs is { } all ? string.Create(CultureInfo.InvariantCulture, $"{all:F1} all") : string.Empty;
        return row.MeetsGoal switch
        {
            null => goal,
            true => goal + " met",
            false => goal + " MISSED",
        };
    }

    private static double PerCore(SuiteRow row) => row.NodeCpuUs > 0 ? 1e6 / row.NodeCpuUs : 0;
}
