using Aerie.Fuzz;

// Aerie.Fuzz <target>|all [--inputs N] [--seed S] [--corpus FOLDER] [--replay FILE]
//
// Ends with a line "N passed, N failed"; the input of a finding is kept in artifacts/fuzz/, with the command to repeat it.
//
// Aerie.Fuzz targets says the name of each, one per line.
//
// Aerie.Fuzz storage-seeds FOLDER writes the seeds of the target storage: bytes that no text editor makes.

if (args is ["storage-seeds", var folder])
{
    foreach (var (name, bytes) in StorageSeeds.Files)
    {
        File.WriteAllBytes(Path.Combine(folder, name), bytes);
    }

    return 0;
}

if (args is ["targets"])
{
    Console.WriteLine(string.Join('\n', FuzzTargets.All.Keys));
    return 0;
}

var options = Options.Parse(args);
if (options is null)
{
    Console.Error.WriteLine("usage: Aerie.Fuzz <target>|all [--inputs N] [--seed S] [--corpus FOLDER] [--replay FILE]");
    Console.Error.WriteLine("targets: " + string.Join(", ", FuzzTargets.All.Keys));
    return 2;
}

if (options.Replay is not null)
{
    FuzzTargets.All[options.Target](File.ReadAllBytes(options.Replay));
    Console.WriteLine("returned");
    return 0;
}

var failed = options.Targets.Count(name => !Passes(name, options));
Console.WriteLine($"{options.Targets.Count - failed} passed, {failed} failed");
return failed == 0 ? 0 : 1;

static bool Passes(string name, Options options)
{
    var corpus = Corpus.Load(Path.Combine(options.Corpus, name));
    var result = new Fuzzer(FuzzTargets.All[name], new FuzzLimits())
        .Run(corpus, options.Seed, options.Inputs, line => Console.WriteLine($"{name}: {line}"));
    var speed = result.Inputs / Math.Max(result.Elapsed.TotalSeconds, 0.001);
    Console.WriteLine($"{name}: {result.Inputs:N0} inputs from {corpus.Seeds.Count} seeds, {speed:N0}/s, seed {options.Seed}");
    if (result.Problem is null)
    {
        return true;
    }

    Directory.CreateDirectory("artifacts/fuzz");
    var file = $"artifacts/fuzz/{name}-{options.Seed}-{result.Inputs}.bin";
    File.WriteAllBytes(file, result.Input!);
    Console.WriteLine($"FAILED  {name} {result.Problem}\n        alone: Aerie.Fuzz {name} --replay {file}");
    return false;
}
