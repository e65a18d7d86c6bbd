using System.Globalization;

namespace Aerie.Server.Config;

/// Mistakes that no single parameter shows: duplicates, contradictions, and more than the machine or the wire can hold.
internal sealed class ConsistencyChecks
{
    /// Limits of the wire and of the reference: 32 namespaces, names below 32 characters, set names below 64.
    public const int NamespacesMax = 32;
    public const int NamespaceNameMax = 31;
    public const int SetNameMax = 63;

    private const int ClusterNameMax = 64;
    private const int NodeIdDigitsMax = 16;

    private readonly Findings _findings;

    private ConsistencyChecks(Findings findings)
    {
        _findings = findings;
    }

    public static void Run(Settings root, MachineFacts machine, Findings findings)
    {
        ConsistencyChecks checks = new(findings);
        checks.Service(root.Child("service")!);
        checks.Ports(root.Child("network")!);
        Settings[] spaces = [.. root.ChildrenOf("namespace")];
        bool isUnreadable = findings.HasProblems && root.Children.All(section => section.Line == 0);
        if (spaces.Length == 0 && !isUnreadable)
        {
            findings.Problem(0, "there is no namespace; write 'namespace NAME {'");
        }

        if (spaces.Length > NamespacesMax)
        {
            findings.Problem(spaces[NamespacesMax].Line, $"{spaces.Length} namespaces are given; allowed are {NamespacesMax}");
        }

        foreach (Settings space in spaces)
        {
            checks.Namespace(space);
        }

        StorageChecks.Run(spaces, findings);
        checks.Memory(root, spaces, machine);
    }

    /// Names travel inside `key=value;…` texts of the info protocol and must not break them.
    public static bool IsNameGood(string name, int lengthMax) =>
        name.Length > 0 && name.Length <= lengthMax && name.All(c => char.IsAscii(c) && !char.IsControl(c) && ":;,= \"".IndexOf(c) < 0);

    private void Service(Settings service)
    {
        string nodeId = service.Text("node-id");
        if (nodeId.Length > NodeIdDigitsMax || !nodeId.All(char.IsAsciiHexDigit)
            || (nodeId.Length > 0 && nodeId.All(digit => digit == '0')))
        {
            _findings.Problem(service.LineOf("node-id"),
                $"'node-id' is {Findings.Quote(nodeId)}; allowed are 1 to {NodeIdDigitsMax} hexadecimal digits, not all zero");
        }

        string cluster = service.Text("cluster-name");
        if (cluster.Length > 0 && !IsNameGood(cluster, ClusterNameMax))
        {
            _findings.Problem(service.LineOf("cluster-name"),
                $"'cluster-name' is {Findings.Quote(cluster)}; allowed are {ClusterNameMax} characters without : ; , = and spaces");
        }
    }

    private void Ports(Settings network)
    {
        List<(Settings Section, long Port)> taken = [];
        foreach (Settings section in network.Children.OrderBy(section => section.LineOf("port")))
        {
            if (section.Keyword == "tls" || section.Integer("port") is not (> 0 and var port))
            {
                continue;
            }

            foreach ((Settings other, long otherPort) in taken)
            {
                if (port == otherPort && Overlap(section.List("addresses"), other.List("addresses")))
                {
                    _findings.Problem(section.LineOf("port"),
                        $"port {port} of network {section.Keyword} is taken by network {other.Keyword}; each needs its own");
                }
            }

            taken.Add((section, port));
        }
    }

    private static bool Overlap(IReadOnlyList<string> left, IReadOnlyList<string> right) =>
        IsAny(left) || IsAny(right) || left.Intersect(right, StringComparer.OrdinalIgnoreCase).Any();

    private static bool IsAny(IReadOnlyList<string> addresses) => addresses.Count == 0 || addresses.Contains("any", StringComparer.Ordinal);

    private void Namespace(Settings space)
    {
        if (!IsNameGood(space.Name, NamespaceNameMax))
        {
            _findings.Problem(space.Line,
                $"namespace name {Findings.Quote(space.Name)} is not allowed;"
                + $" allowed are {NamespaceNameMax} characters without : ; , = and spaces");
        }

        foreach (Settings set in space.ChildrenOf("set"))
        {
            if (!IsNameGood(set.Name, SetNameMax))
            {
                _findings.Problem(set.Line,
                    $"set name {Findings.Quote(set.Name)} is not allowed; allowed are {SetNameMax} characters without : ; , = and spaces");
            }
        }

        Expiry(space);
        Eviction(space);
        if (space.Child("geo2dsphere-within") is { } geo && geo.Integer("min-level") > geo.Integer("max-level"))
        {
            _findings.Problem(geo.LineOf("min-level"), $"min-level {geo.Text("min-level")} is above max-level {geo.Text("max-level")}");
        }

        if (!long.IsPow2(space.Integer("index-stage-size")))
        {
            _findings.Problem(space.LineOf("index-stage-size"),
                $"'index-stage-size' is {space.Text("index-stage-size")}; allowed are powers of two");
        }
    }

    private void Expiry(Settings space)
    {
        bool expires = space.Integer("default-ttl") != 0 || space.ChildrenOf("set").Any(set => set.Integer("default-ttl") != 0);
        if (expires && space.Integer("nsup-period") == 0 && !space.Flag("allow-ttl-without-nsup"))
        {
            _findings.Warning(space.LineOf("default-ttl"),
                $"namespace {space.Name}: default-ttl without nsup-period: expired records are not removed; set nsup-period 120");
        }
    }

    private void Eviction(Settings space)
    {
        if (space.Child("storage-engine") is not { Name: "memory" or "device" } engine)
        {
            return;
        }

        long evict = engine.Integer("evict-used-pct");
        long stop = engine.Integer("stop-writes-used-pct");
        if (evict > 0 && stop > 0 && evict >= stop)
        {
            _findings.Warning(engine.LineOf("evict-used-pct"),
                $"namespace {space.Name}: evict-used-pct {evict} is not below stop-writes-used-pct {stop}:"
                + " writes stop before eviction begins");
        }
    }

    private void Memory(Settings root, Settings[] spaces, MachineFacts machine)
    {
        long total = 0;
        Settings? largest = null;
        foreach (Settings space in spaces)
        {
            if (space.Child("storage-engine") is { Name: "memory" } engine)
            {
                total += InMemory(engine);
                largest = largest == null || InMemory(engine) > InMemory(largest) ? engine : largest;
            }
        }

        if (largest == null || machine.MemoryLimitBytes is not { } limit || total <= limit)
        {
            return;
        }

        string sum = spaces.Length == 1 ? "data-size" : "the data-size of all namespaces,";
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{sum} {Quantity.PrintSize(total)} exceeds the memory limit {Quantity.PrintSize(limit)} of this container");
        int line = largest.LineOf(largest.IsGiven("files") ? "filesize" : "data-size");
        if (root.Child("service")!.Flag("cgroup-mem-tracking"))
        {
            _findings.Problem(line, text);
        }
        else
        {
            _findings.Warning(line, text);
        }
    }

    /// How large a device is, only the device says.
    private static long InMemory(Settings engine) =>
        engine.IsGiven("files") ? engine.Integer("filesize") * engine.List("files").Count
        : engine.IsGiven("devices") ? 0
        : engine.Integer("data-size");
}
