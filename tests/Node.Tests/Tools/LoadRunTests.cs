using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Node.Tests.Client;
using Aerie.Tools.Bench;
using Aerie.Tools.Suite;
using Xunit;

namespace Aerie.Node.Tests.Tools;

/// Compiles the floor server once; null where the machine has no C compiler.
public sealed class FloorBinary : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("aerie-floor");

    public FloorBinary()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(System.IO.Path.Combine(root.FullName, "Aerie.slnx")))
        {
            root = root.Parent;
        }

        var file = System.IO.Path.Combine(_folder.FullName, "floor");
        try
        {
            using var compiler = Process.Start("gcc", ["-O2", "-pthread", "-o", file, $"{root!.FullName}/tests/Floor/floor.c"]);
            compiler.WaitForExit();
            Path = compiler.ExitCode == 0 ? file : throw new InvalidOperationException("the floor server does not compile");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Path = null;
        }
    }

    public string? Path { get; }

    public void Dispose() => _folder.Delete(recursive: true);
}

public sealed class LoadRunTests(FloorBinary floorBinary) : IClassFixture<FloorBinary>
{
    private const int Records = 8192;

    [Theory]
    [InlineData("read")]
    [InlineData("mixed")]
    [InlineData("write")]
    [InlineData("batch")]
    [InlineData("scan")]
    public void A_closed_loop_runs_without_errors(string name)
    {
        var workload = Workload.Named(name)!;
        var options = Options with { Workload = workload, Duration = TimeSpan.FromMilliseconds(300) };
        var result = RunOnFloor(options);
        for (var more = 0; more < 20 && result.Server!.CpuMicroseconds == 0; more++)
        {
            result = RunOnFloor(options); // counted in ticks of 10 ms: a busy machine may have given the server none
        }

        Assert.Equal((0L, (string?)null), (result.Errors, result.FirstError));
        Assert.True(result.Requests > 0 && result.LatencyMicroseconds["p50"] > 0);
        Assert.True(result.Server!.CpuMicroseconds > 0);
        if (workload == Workload.Batch)
        {
            Assert.Equal(result.Requests * Options.BatchSize, result.Operations);
        }
        else if (workload != Workload.Scan)
        {
            Assert.Equal(result.Requests, result.Operations);
        }
    }

    [Theory]
    [InlineData("read")]
    [InlineData("mixed")]
    public void The_floor_serves_records_from_a_file(string name)
    {
        var workload = Workload.Named(name)!;
        var file = System.IO.Path.Combine(AppContext.BaseDirectory, $"floor-{Guid.NewGuid():N}.dat"); // /tmp may have no direct I/O
        try
        {
            var options = Options with { Workload = workload, ValueSize = 1000 };
            var result = RunOnFloor(options, "--threads", "3", "--file", file);
            Assert.Equal((0L, (string?)null), (result.Errors, result.FirstError));
            Assert.True(result.Operations > 0);
            Assert.True(new FileInfo(file).Length > Records * options.ValueSize);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_run_tells_of_each_interval()
    {
        var intervals = new List<LoadInterval>();
        var options = Options with { Duration = TimeSpan.FromMilliseconds(300), ReportEvery = TimeSpan.FromMilliseconds(100) };
        var result = RunOnFloor(options, intervals.Add);
        Assert.Equal([0.1, 0.2, 0.3], intervals.Select(interval => Math.Round(interval.EndSeconds, 3)));
        Assert.InRange(intervals.Sum(interval => interval.Operations), 1, result.Operations);
        Assert.All(intervals, interval => Assert.Equal(interval.Operations > 0, interval.Latencies.Count > 0));
    }

    [Fact]
    public void An_insert_sends_every_key_once()
    {
        var result = RunOnFloor(Options with { Workload = Workload.Insert, Keys = 5001, Pipeline = 7, Threads = 2 });
        Assert.Equal((0L, 5001L, 5001L, 0L), (result.Errors, result.Operations, result.Requests, result.Unsent));
    }

    [Fact]
    public void An_open_loop_sends_what_is_due()
    {
        var result = RunOnFloor(Options with { Rate = 2000, Duration = TimeSpan.FromSeconds(1) });
        Assert.Equal(0, result.Errors);
        Assert.InRange(result.Requests + result.Unsent, 1800, 2001);
    }

    [Fact]
    public void Values_larger_than_a_buffer_arrive()
    {
        var result = RunOnFloor(Options with { ValueSize = 200_000, Connections = 2, Duration = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(0, result.Errors);
        Assert.True(result.Operations > 0);
    }

    [Fact]
    public void A_stalled_server_cannot_hide_the_requests_it_kept_from_being_sent()
    {
        var stall = TimeSpan.FromMilliseconds(200);
        var reply = ScriptedServer.Message(ScriptedServer.Record(ResultCode.Ok));
        var answered = 0;
        using var never = new ManualResetEventSlim();
        using var server = new ScriptedServer((stream, _) =>
        {
            if (++answered == 20)
            {
                never.Wait(stall);
            }

            stream.Write(reply);
        });
        var options = Options with { Host = server.Address, Connections = 1, Rate = 200, Duration = TimeSpan.FromSeconds(1) };
        var result = new LoadRun(options).Execute();
        // 40 of 200 requests were due during the stall, so every tenth waited longer than half of it.
        Assert.True(result.LatencyMicroseconds["p90"] > stall.TotalMicroseconds / 3, $"p90 {result.LatencyMicroseconds["p90"]} µs");
    }

    [Fact]
    public void Failures_are_counted_by_their_result_code()
    {
        var reply = ScriptedServer.Message(ScriptedServer.Record(ResultCode.NotFound));
        using var server = new ScriptedServer((stream, _) => stream.Write(reply));
        var result = new LoadRun(Options with { Host = server.Address, Duration = TimeSpan.FromMilliseconds(100) }).Execute();
        Assert.Equal(0, result.Operations);
        Assert.Equal("2 (NotFound)", Assert.Single(result.ErrorsByKind).Key);
        Assert.Equal("the server answered 2 (NotFound)", result.FirstError);
    }

    [Theory]
    [InlineData(ResultCode.UdfExecution, "FAILURE", "100 (UdfExecution)")]
    [InlineData(ResultCode.Ok, "OTHER", "unexpected answer")]
    public void A_function_that_fails_or_refuses_is_counted(ResultCode result, string bin, string kind)
    {
        var reply = ScriptedServer.Message(ScriptedServer.Record(
            result, operations: [ScriptedServer.Operation(bin, ParticleType.String, "no"u8)]));
        using var server = new ScriptedServer((stream, _) => stream.Write(reply));
        var options = Options with { Host = server.Address, Workload = Workload.Udf, Duration = TimeSpan.FromMilliseconds(100) };
        var run = new LoadRun(options).Execute();
        Assert.Equal((0L, run.Errors), (run.Operations, Assert.Single(run.ErrorsByKind).Value));
        Assert.Equal(kind, Assert.Single(run.ErrorsByKind).Key);
        Assert.EndsWith(kind, run.FirstError, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_closes_is_reported_and_the_run_ends()
    {
        using var server = new ScriptedServer((stream, _) => stream.Close());
        var result = new LoadRun(Options with { Host = server.Address, Duration = TimeSpan.FromMilliseconds(300) }).Execute();
        Assert.True(result.Errors > 0);
        Assert.Equal("connection lost", Assert.Single(result.ErrorsByKind).Key);
    }

    [Fact]
    public void Nobody_at_the_address_is_one_clear_line()
    {
        var options = Options with { Host = new HostAddress("127.0.0.1", FreePort()) };
        var failure = Assert.Throws<BenchException>(() => new LoadRun(options).Execute());
        Assert.Contains($"127.0.0.1 port {options.Host.Port}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_keys_are_those_of_every_client()
    {
        var keys = new KeyTable("bench", 20_000);
        foreach (var number in new[] { 0, 1, 16_383, 16_384, 19_999 })
        {
            Assert.Equal(new Key("test", "bench", (long)number).Digest, new Digest(keys[number]));
        }
    }

    private static BenchOptions Options => new()
    {
        Keys = 1000,
        Connections = 8,
        BatchSize = 50,
        Duration = TimeSpan.FromMilliseconds(200),
    };

    private BenchResult RunOnFloor(BenchOptions options, params string[] more) => RunOnFloor(options, null, more);

    private BenchResult RunOnFloor(BenchOptions options, Action<LoadInterval>? told, params string[] more)
    {
        Assert.SkipWhen(floorBinary.Path is null, "needs gcc, for the floor server");
        var port = FreePort();
        var log = System.IO.Path.GetTempFileName();
        try
        {
            string[] arguments = ["--port", $"{port}", "--value-size", $"{options.ValueSize}", "--records", $"{Records}", .. more];
            using var floor = ServerProcess.Start("floor", floorBinary.Path!, arguments, port, log);
            return new LoadRun(options with { Host = new HostAddress("127.0.0.1", port), Pid = floor.Pid }, told).Execute();
        }
        finally
        {
            File.Delete(log);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
