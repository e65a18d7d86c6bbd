using System.Globalization;
using System.Text;
using System.Text.Json;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Suite;

/// One work on both servers: medians over the rounds. Times in microseconds, per operation unless they are latencies.
public sealed record SuiteRow
{
    public required string Work { get; init; }

    public required double NodeCpuUs { get; init; }

    public required double NodeUserUs { get; init; }

    public required double NodeSystemUs { get; init; }

    public required double FloorCpuUs { get; init; }

    public required double FloorUserUs { get; init; }

    /// Processor time of the node over that of the floor.
    public required double Ratio { get; init; }

    /// Null where the node does not say.
    public required double? AllocBytesPerOp { get; init; }

    /// How many reads of the device the node needed; null where the records are in memory.
    public required double? DeviceReadsPerOp { get; init; }

    public required double NodeOpsPerSecond { get; init; }

    public required double FloorOpsPerSecond { get; init; }

    public required double P50Us { get; init; }

    public required double P99Us { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("p99_9_us")]
    public required double P999Us { get; init; }

    public required double FloorP50Us { get; init; }

    public required double FloorP99Us { get; init; }

    [System.Text.Json.Serialization.JsonPropertyName("floor_p99_9_us")]
    public required double FloorP999Us { get; init; }

    public required long Errors { get; init; }
}

/// What `make bench` leaves behind: rows, and a line on each node.
public sealed record SuiteReport(IReadOnlyList<SuiteRow> Rows, IReadOnlyList<string> Notes)
{
    public string Table()
    {
        var text = new StringBuilder();
        text.AppendLine(
            "                       CPU s per million operations                ops/s     latency µs                  alloc device");
        text.AppendLine(
            "work               node   user    sys | floor   user | ratio   per core      p50      p99    p99.9     B/op  reads");
        foreach (var row in Rows)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{row.Work,-16} {row.NodeCpuUs,6:F2} {row.NodeUserUs,6:F2} {row.NodeSystemUs,6:F2} |"
                + $" {row.FloorCpuUs,5:F2} {row.FloorUserUs,6:F2} |"
                + $" {row.Ratio,5:F2} {PerCore(row),10:N0} {row.P50Us,8:F1} {row.P99Us,8:F1} {row.P999Us,8:F1} {row.AllocBytesPerOp,8:F2}"
                + $" {row.DeviceReadsPerOp,6:F2}");
        }

        Notes.ToList().ForEach(note => text.AppendLine(note));
        return text.ToString();
    }

    /// The rows alone, an array: figures that a pipeline compares from run to run.
    public void WriteJson(string file)
    {
        File.WriteAllText(file, JsonSerializer.Serialize(Rows, BenchResult.Json) + "\n");
    }

    private static double PerCore(SuiteRow row) => row.NodeCpuUs > 0 ? 1e6 / row.NodeCpuUs : 0;
}
