using System.Globalization;
using Aerie.Soak;
using Aerie.Soak.Crashes;
using Aerie.Soak.Mixed;
using Aerie.TestKit;

// Aerie.Soak mixed  [--minutes 10] [--connections 500] [--port P] [--seed S]
// Aerie.Soak idle   [--connections 10000] [--port P]
// Aerie.Soak crash  [--kills 300] [--mode commit|buffered] [--connections 8] [--node-bin F] [--port P] [--seed S]
// Aerie.Soak memory [--records 10000000] [--value-size 100] [--cycle-records 1000000] [--port P]
//
// Each starts a node of its own, and ends with a line "N passed, N failed".

const string Usage = "usage: Aerie.Soak mixed|idle|crash|memory [--name value]…";

var options = new Dictionary<string, string>(StringComparer.Ordinal);
for (var at = 1; at < args.Length; at += 2)
{
    var isText = args[at] is "--mode" or "--node-bin";
    if (at + 1 == args.Length || !(isText || double.TryParse(args[at + 1], CultureInfo.InvariantCulture, out _)))
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    options[args[at]] = args[at + 1];
}

var launcher = options.TryGetValue("--node-bin", out var given) ? Path.GetFullPath(given) : null;
if (!File.Exists(launcher ?? NodeProgram.Launcher))
{
    Console.Error.WriteLine("there is no bin/aerie-node; run 'make build' first");
    return 2;
}

double Option(string name, double otherwise) =>
    options.TryGetValue(name, out var value) ? double.Parse(value, CultureInfo.InvariantCulture) : otherwise;

var port = (int)Option("--port", NodeProgram.FreePort(27_000));
switch (args.FirstOrDefault())
{
    case "mixed":
        var time = TimeSpan.FromMinutes(Option("--minutes", 10));
        return new MixedRun(port, time, (int)Option("--connections", 500), (int)Option("--seed", 1)).Run();
    case "idle":
        return new IdleRun(port, (int)Option("--connections", 10_000)).Run();
    case "crash" when options.GetValueOrDefault("--mode", "commit") is "commit" or "buffered":
        var commits = options.GetValueOrDefault("--mode", "commit") == "commit";
        var crashes = new CrashPlan(
            (int)Option("--kills", 300), commits, (int)Option("--connections", 8), (int)Option("--seed", 1), launcher);
        return new CrashRun(port, crashes).Run();
    case "memory":
        var plan = new MemoryPlan(
            (int)Option("--records", 10_000_000), (int)Option("--value-size", 100), (int)Option("--cycle-records", 1_000_000));
        return new MemoryRun(port, plan).Run();
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}
