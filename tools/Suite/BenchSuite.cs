namespace Aerie.Tools.Suite;

/// Measures each work on a floor and a node, one after the other, several times: those in memory on one pair, those on a
/// device on another. What is computed inside records is compared with plain requests to the same node. Absolute times on a
/// shared machine mean little; what was measured a few seconds apart can be compared.
internal sealed class BenchSuite(SuiteOptions options, TextWriter progress)
{
    private readonly List<SuiteRow> _rows = [];
    private readonly List<string> _notes = [];

    public SuiteReport Run()
    {
        if (options.Complaint() is { } complaint)
        {
            throw new Bench.BenchException(complaint);
        }

        Directory.CreateDirectory(options.Folder);
        Run(WorkPlace.Memory, InMemory);
        Run(WorkPlace.Device, OnDevice);
        Run(WorkPlace.Record, InRecords);
        return new SuiteReport(_rows, _notes);
    }

    private void InMemory(IReadOnlyList<SuiteWork> works)
    {
        const long FourGigabytes = 4L << 30;
        var plan = new PairPlan("", options.Keys, SuiteOptions.ValueSize, NodeConfig.InMemory(options.FirstPort + 1, FourGigabytes));
        using var pair = new ServerPair(options, plan, progress);
        Measure(pair, works);
        _notes.Add(pair.MemoryPerRecord());
    }

    private void OnDevice(IReadOnlyList<SuiteWork> works)
    {
        var folder = Path.GetFullPath(options.DeviceFolder ?? options.Folder);
        var (nodeFile, floorFile) = (Path.Combine(folder, "bench-node.dat"), Path.Combine(folder, "bench-floor.dat"));
        Directory.CreateDirectory(folder);
        File.Delete(nodeFile); // of a run that did not come to its end
        try
        {
            var group = options.MemoryGroup is { } path ? new MemoryGroup(path, options.MemoryMegabytes << 20) : null;
            var plan = new PairPlan(
                "device-",
                options.DeviceKeys,
                options.DeviceValueSize,
                NodeConfig.OnDevice(options.FirstPort + 1, nodeFile, options.DeviceMegabytes))
            {
                FloorThreads = options.BlockingThreads,
                FloorFile = floorFile,
                MemoryGroup = group,
            };
            using var pair = new ServerPair(options, plan, progress);
            Measure(pair, works);
            _notes.Add(pair.DeviceUse());
        }
        finally
        {
            File.Delete(nodeFile);
            File.Delete(floorFile);
        }
    }

    private void InRecords(IReadOnlyList<SuiteWork> works)
    {
        using var node = new RecordWorks(options, works, progress);
        _rows.AddRange(works.Select(node.Measure));
    }

    private void Run(WorkPlace place, Action<IReadOnlyList<SuiteWork>> measure)
    {
        var works = options.Works.Where(work => work.Place == place).ToList();
        if (works.Count > 0)
        {
            measure(works);
        }
    }

    private void Measure(ServerPair pair, IReadOnlyList<SuiteWork> works)
    {
        pair.Load();
        _rows.AddRange(works.Select(pair.Measure));
    }
}
