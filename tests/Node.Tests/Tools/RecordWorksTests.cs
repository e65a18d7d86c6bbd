using System.Text.Json;
using Aerie.Node.Tests.RealProcess;
using Aerie.TestKit;
using Aerie.Tools.Suite;
using Xunit;

namespace Aerie.Node.Tests.Tools;

/// The works without a floor, on a real node, as `make bench` runs them but shortly.
public sealed class RecordWorksTests : IDisposable
{
    private const int FirstPort = 26_700;

    private readonly string _folder = Directory.CreateTempSubdirectory("aerie-suite").FullName;

    [Fact]
    public void Each_is_measured_beside_its_plain_request_without_an_error()
    {
        RunningNode.NeedsLauncher();
        var options = new SuiteOptions
        {
            NodeBin = NodeProgram.Launcher!,
            Folder = _folder,
            FirstPort = NodeProgram.FreePort(FirstPort) - 1, // the floor's, which is not started
            MapKeys = 100,
            NumberKeys = 2_000,
            UtxoKeys = 10_000,
            Seconds = 0.3,
            WarmupSeconds = 0.1,
            Rounds = 1,
            WorkNames = [.. SuiteWork.All.Where(work => work.Place == WorkPlace.Record).Select(work => work.Name)],
        };
        Assert.Null(options.Complaint());
        var report = new BenchSuite(options, TextWriter.Null).Run();
        Assert.Equal(
            ["map-get", "map-put", "filter", "operate", "udf", "udf-batch", "utxo", "utxo-mixed"], report.Rows.Select(row => row.Work));
        Assert.All(report.Rows, row => Assert.Equal((0, true), (row.Errors, row.NodeCpuUs > 0)));
        Assert.Equal(
            ["number-get", "number-put", "read", "number-put", "number-put", "number-put-batch", null, null],
            report.Rows.Select(row => row.Base));
        Assert.All(report.Rows.Where(row => row.Base is not null), row => Assert.Equal(row.NodeCpuUs - row.BaseCpuUs, row.ExtraCpuUs));
        Assert.Equal(4, report.Rows[6].NodeCpuUs / report.Rows[6].CpuPerSpendUs!.Value, 6);
        Assert.Equal(2, report.Rows[7].NodeCpuUs / report.Rows[7].CpuPerSpendUs!.Value, 6);
    }

    [Theory]
    [InlineData(2.9, 2.0, 1.0, null, true)]
    [InlineData(3.1, 2.0, 1.0, null, false)]
    [InlineData(1.4, 2.0, null, 1.5, true)]
    [InlineData(1.6, 2.0, null, 1.5, false)]
    [InlineData(1.6, 2.0, null, null, null)]
    public void A_goal_is_for_what_is_used_beyond_the_plain_request_or_for_all(
        double node, double plain, double? extraGoal, double? cpuGoal, bool? meets)
    {
        var row = Row("some") with
        {
            NodeCpuUs = node,
            Base = "read",
            BaseCpuUs = plain,
            ExtraCpuUs = node - plain,
            ExtraGoalUs = extraGoal,
            CpuGoalUs = cpuGoal,
        };
        Assert.Equal(meets, row.MeetsGoal);
        var table = new SuiteReport([row], []).Table();
        Assert.Equal(meets == false, table.Contains("MISSED", StringComparison.Ordinal));
        Assert.Equal(meets == true, table.Contains(" met", StringComparison.Ordinal));
    }

    [Fact]
    public void The_table_has_a_block_for_each_kind_of_work()
    {
        SuiteRow[] rows =
        [
            Row("read") with { FloorCpuUs = 4, FloorUserUs = 1, Ratio = 0.5 },
            Row("map-get") with { Base = "number-get", BaseCpuUs = 1.5, ExtraCpuUs = 0.5, ExtraGoalUs = 1 },
            Row("utxo") with { CpuPerSpendUs = 0.5, SpendsPerSecondPerCore = 2_000_000 },
        ];
        var lines = new SuiteReport(rows, ["a note"]).Table().Split('\n');
        Assert.Equal(
            ["work", "read", "in", "map-get", "utxo", "outputs", "utxo", "a"],
            lines.Where(line => line.Length > 0 && line[0] != ' ').Select(line => line.Split(' ')[0]));
        Assert.Contains(lines, line => line.StartsWith("map-get", StringComparison.Ordinal) && line.Contains("number-get"));
        Assert.Contains(lines, line => line.StartsWith("utxo", StringComparison.Ordinal) && line.Contains("2,000,000"));
    }

    [Fact]
    public void Figures_that_do_not_apply_are_null_in_the_file()
    {
        var file = Path.Combine(_folder, "bench.json");
        var measured = Row("map-get") with { Base = "number-get", BaseCpuUs = 1.5, ExtraCpuUs = 0.5, ExtraGoalUs = 1 };
        new SuiteReport([measured], []).WriteJson(file);
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        var row = json.RootElement[0];
        Assert.Equal("map-get", row.GetProperty("work").GetString());
        Assert.Equal("number-get", row.GetProperty("base").GetString());
        string[] figures = ["node_cpu_us", "node_user_us", "base_cpu_us", "extra_cpu_us", "extra_goal_us"];
        Assert.Equal([2, 1, 1.5, 0.5, 1], figures.Select(name => row.GetProperty(name).GetDouble()));
        Assert.All(
            ["floor_cpu_us", "ratio", "alloc_bytes_per_op", "cpu_per_spend_us"],
            name => Assert.Equal(JsonValueKind.Null, row.GetProperty(name).ValueKind));
        Assert.True(row.TryGetProperty("p50_us", out _) && row.TryGetProperty("p99_us", out _) && row.TryGetProperty("p99_9_us", out _));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SuiteRow Row(string work) => new()
    {
        Work = work,
        NodeCpuUs = 2,
        NodeUserUs = 1,
        NodeSystemUs = 1,
        AllocBytesPerOp = null,
        DeviceReadsPerOp = null,
        NodeOpsPerSecond = 1,
        P50Us = 1,
        P99Us = 1,
        P999Us = 1,
        Errors = 0,
    };
}
