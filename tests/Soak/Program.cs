using Aerie.Soak;
using Aerie.Soak.Crashes;
using Aerie.Soak.Devices;
using Aerie.Soak.Mixed;
using Aerie.Soak.Udfs;
using Aerie.TestKit;

// Aerie.Soak mixed   [--minutes 10] [--connections 500] [--seed S]
// Aerie.Soak udf     [--minutes 10] [--errors 0] [--connections 8] [--seed S]
// Aerie.Soak idle    [--connections 10000]
// Aerie.Soak crash   [--kills 300] [--mode commit|buffered] [--connections 8] [--seed S]
// Aerie.Soak memory  [--records 10000000] [--value-size 100] [--cycle-records 1000000]
// Aerie.Soak steady  [--minutes 30] [--connections 64] [--value-size 1000] [--file-mb 4096] [--used-pct 80] [--rate 0] [--file F]
// Aerie.Soak restart [--records 10000000] [--value-size 1000] [--file F]
//
// All know --port P and --node-bin F. Each starts a node of its own, and ends with a line "N passed, N failed".

var options = SoakOptions.Parse(args, out var complaint);
if (options is null)
{
    Console.Error.WriteLine(complaint);
    return 2;
}

var launcher = options.Text("--node-bin") is { } given ? Path.GetFullPath(given) : NodeProgram.Launcher;
if (!File.Exists(launcher))
{
    Console.Error.WriteLine($"there is no {launcher ?? "bin/aerie-node"}; run 'make build' first");
    return 2;
}

var port = options.Int("--port", NodeProgram.FreePort(27_000));
switch (options.Run)
{
    case "mixed":
        var time = TimeSpan.FromMinutes(options.Number("--minutes", 10));
        return new MixedRun(port, time, options.Int("--connections", 500), options.Int("--seed", 1), launcher).Run();
    case "udf":
        var udf = new UdfPlan(
            TimeSpan.FromMinutes(options.Number("--minutes", 10)), (long)options.Number("--errors", 0), options.Int("--connections", 8),
            options.Int("--seed", 1), launcher);
        return new UdfRun(port, udf).Run();
    case "idle":
        return new IdleRun(port, options.Int("--connections", 10_000), launcher).Run();
    case "crash":
        if ((options.Text("--mode") ?? "commit") is not ("commit" or "buffered"))
        {
            Console.Error.WriteLine("--mode is commit or buffered");
            return 2;
        }

        var commits = options.Text("--mode") is not "buffered";
        var crashes = new CrashPlan(
            options.Int("--kills", 300), commits, options.Int("--connections", 8), options.Int("--seed", 1), launcher);
        return new CrashRun(port, crashes).Run();
    case "steady":
        var steady = new SteadyPlan(
            TimeSpan.FromMinutes(options.Number("--minutes", 30)), options.Int("--connections", 64), options.Int("--value-size", 1000),
            options.Int("--file-mb", 4096), options.Int("--used-pct", 80), options.Number("--rate", 0), options.Text("--file"), launcher);
        return new SteadyRun(port, steady).Run();
    case "restart":
        var restart = new RestartPlan(
            options.Int("--records", 10_000_000), options.Int("--value-size", 1000), options.Text("--file"), launcher);
        return new RestartRun(port, restart).Run();
    default:
        var plan = new MemoryPlan(
            options.Int("--records", 10_000_000), options.Int("--value-size", 100), options.Int("--cycle-records", 1_000_000));
        return new MemoryRun(port, plan, launcher).Run();
}
