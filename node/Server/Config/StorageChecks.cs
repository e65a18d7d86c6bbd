namespace Aerie.Server.Config;

/// Mistakes in the storage engines of namespaces that no single parameter shows. What is told here keeps a node from writing
/// to the wrong place, or says what it will do differently from what a line seems to ask for.
internal sealed class StorageChecks
{
    /// The reference's limit.
    public const int PathsMax = 128;

    private readonly Findings _findings;
    private readonly Dictionary<string, string> _taken = new(StringComparer.Ordinal);

    private StorageChecks(Findings findings)
    {
        _findings = findings;
    }

    public static void Run(IEnumerable<Settings> spaces, Findings findings)
    {
        StorageChecks checks = new(findings);
        foreach (Settings space in spaces)
        {
            if (space.Child("storage-engine") is { Name: "memory" or "device" } engine)
            {
                checks.Engine(engine, $"namespace {space.Name}");
            }
        }
    }

    private void Engine(Settings engine, string who)
    {
        bool hasFiles = engine.IsGiven("files");
        bool hasDevices = engine.IsGiven("devices");
        if (hasFiles && hasDevices)
        {
            _findings.Problem(engine.LineOf("devices"), $"{who}: 'file' and 'device' are both given; use one kind for a namespace");
        }

        if (engine.Name == "device" && !hasFiles && !hasDevices)
        {
            _findings.Problem(engine.Line,
                $"{who}: storage-engine device without 'device' or 'file'; write 'file PATH' and 'filesize SIZE', or 'device PATH'");
        }

        Paths(engine, hasFiles ? "files" : "devices", who);
        FileSize(engine, hasFiles, who);
        Encryption(engine, who);
        Durability(engine, hasFiles || hasDevices, who);
    }

    private void Paths(Settings engine, string name, string who)
    {
        if (!engine.IsGiven(name))
        {
            return;
        }

        StoragePath[] paths = [.. StorageOptions.PathsOf(engine)];
        int line = engine.LineOf(name);
        if (paths.Length > PathsMax)
        {
            _findings.Problem(line, $"{who}: {paths.Length} {name} are given; allowed are {PathsMax}");
        }

        if (paths.Any(path => path.Shadow is null) && paths.Any(path => path.Shadow is not null))
        {
            _findings.Problem(line, $"{who}: some {name} have a shadow and some have none; give each one or none");
        }

        foreach (StoragePath path in paths)
        {
            Take(path.Path, line, who);
            if (path.Shadow is not null)
            {
                Take(path.Shadow, line, who);
            }
        }
    }

    /// Two writers on one device would destroy each other's records.
    private void Take(string path, int line, string who)
    {
        if (path.Length == 0 || path.Contains(' ', StringComparison.Ordinal))
        {
            _findings.Problem(line, $"{who}: {Findings.Quote(path)} is no path; write one path, or two with a space: device and shadow");
        }
        else if (!_taken.TryAdd(Normal(path), who))
        {
            string other = _taken[Normal(path)];
            _findings.Problem(line, other == who
                ? $"{who}: {Findings.Quote(path)} is given twice"
                : $"{who}: {Findings.Quote(path)} belongs to {other} already; each needs its own");
        }
    }

    private static string Normal(string path) => path.StartsWith('/') ? Path.GetFullPath(path) : path;

    private void FileSize(Settings engine, bool hasFiles, string who)
    {
        if (hasFiles && !engine.IsGiven("filesize"))
        {
            _findings.Problem(engine.LineOf("files"), $"{who}: 'file' without 'filesize'; write how large each file shall be");
        }
        else if (!hasFiles && engine.IsGiven("filesize"))
        {
            _findings.Warning(engine.LineOf("filesize"), $"{who}: 'filesize' without 'file' has no effect");
        }
        else if (hasFiles && engine.Integer("filesize") % StorageOptions.BlockLength is not 0 and var rest)
        {
            _findings.Info(engine.LineOf("filesize"),
                $"{who}: 'filesize' is rounded down to {Quantity.PrintSize(engine.Integer("filesize") - rest)}, a multiple of 8M");
        }

        if (hasFiles && engine.IsGiven("filesize") && engine.Integer("filesize") < StorageOptions.DeviceLengthMin)
        {
            _findings.Problem(engine.LineOf("filesize"),
                $"{who}: 'filesize' is {Quantity.PrintSize(engine.Integer("filesize"))}; the least is"
                + $" {Quantity.PrintSize(StorageOptions.DeviceLengthMin)}, four blocks");
        }
    }

    private void Encryption(Settings engine, string who)
    {
        bool hasKey = engine.IsGiven("encryption-key-file");
        if (!hasKey && engine.IsGiven("encryption"))
        {
            _findings.Problem(engine.LineOf("encryption"), $"{who}: 'encryption' needs 'encryption-key-file'");
        }

        if (!hasKey && engine.IsGiven("encryption-old-key-file"))
        {
            _findings.Problem(engine.LineOf("encryption-old-key-file"), $"{who}: 'encryption-old-key-file' needs 'encryption-key-file'");
        }

        if (hasKey && !engine.IsGiven("encryption"))
        {
            _findings.Info(engine.LineOf("encryption-key-file"), $"{who}: records are encrypted with {engine.Text("encryption")}");
        }

        if (hasKey && !engine.IsGiven("files") && !engine.IsGiven("devices"))
        {
            _findings.Warning(engine.LineOf("encryption-key-file"), $"{who}: encryption without 'file' or 'device' has no effect");
        }
    }

    private void Durability(Settings engine, bool isPersistent, string who)
    {
        if (engine.Flag("commit-to-device") && !isPersistent)
        {
            _findings.Warning(engine.LineOf("commit-to-device"), $"{who}: 'commit-to-device' without 'file' or 'device' has no effect");
        }

        if (engine.Flag("commit-to-device") && engine.Flag("disable-odsync"))
        {
            _findings.Problem(engine.LineOf("disable-odsync"),
                $"{who}: 'disable-odsync' takes back what 'commit-to-device' promises; remove one of them");
        }

        if (engine.IsGiven("max-write-cache") && engine.Integer("max-write-cache") < StorageOptions.WriteCacheMin)
        {
            _findings.Warning(engine.LineOf("max-write-cache"),
                $"{who}: 'max-write-cache' below {Quantity.PrintSize(StorageOptions.WriteCacheMin)} counts as that");
        }

        if (isPersistent && engine.Name == "memory" && engine.IsGiven("data-size"))
        {
            _findings.Warning(engine.LineOf("data-size"),
                $"{who}: 'data-size' has no effect beside 'file' or 'device', whose size decides");
        }
    }
}
