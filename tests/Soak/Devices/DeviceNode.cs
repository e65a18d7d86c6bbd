using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;
using Aerie.Tools.Bench;

namespace Aerie.Soak.Devices;

/// A namespace on a file, filled by the load generator: how it is configured, filled and asked.
internal sealed class DeviceNode(int port, int valueSize, string file, long megabytes)
{
    public const string Namespace = "test";
    public const string Set = "bench";
    public const string Bin = "b";

    /// What surrounds a value in its image, about. Exact figures come from the namespace.
    public const int ImageOverhead = 56;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public HostAddress Host { get; } = HostAddress.Parse($"127.0.0.1:{port}");

    public string File => file;

    public int MetricsPort { get; } = NodeProgram.FreePort(port + 3);

    /// Limits of use that would stop writes before the file is as full as the run wants it are out of the way.
    public string Configuration => NodeProgram.Configuration(
        port,
        $$"""
        namespace {{Namespace}} {
            replication-factor 1
            nsup-period 0
            storage-engine device {
                file {{file}}
                filesize {{megabytes}}M
                stop-writes-used-pct 95
                post-write-cache 0
            }
        }
        """,
        metricsPort: MetricsPort);

    public BenchOptions Load(int keys, Workload workload) => new()
    {
        Host = Host,
        Namespace = Namespace,
        Set = Set,
        Keys = keys,
        Workload = workload,
        ValueSize = valueSize,
    };

    /// All keys from 0 on, and the device has them.
    public void Fill(AerieClient client, int keys)
    {
        var result = new LoadRun(Load(keys, Workload.Insert) with { Pipeline = 8 }).Execute();
        if (result.Errors > 0 || result.Operations != keys)
        {
            throw new BenchException($"filling failed: {result.Operations} of {keys} records, first error: {result.FirstError}");
        }

        WaitUntilFlushed(client);
    }

    public static void WaitUntilFlushed(AerieClient client)
    {
        if (!Eventually.Holds(() => Number(client, "unflushed_bytes") == 0, Patience))
        {
            throw new BenchException($"{Number(client, "unflushed_bytes")} bytes are still not on the device");
        }
    }

    public AerieClient Connect() => new(new ClientPolicy { SeedsOnly = true, ConnectTimeout = Patience }, Host);

    public static IReadOnlyDictionary<string, string> State(AerieClient client) =>
        InfoText.Pairs(client.Info($"namespace/{Namespace}"));

    public static long Number(AerieClient client, string key) => InfoText.Number(State(client), key);

    /// A folder of its own that goes with the run, unless the user has named the file; that must be new.
    public static T WithFile<T>(string? given, Func<string, T> run)
    {
        if (given is not null)
        {
            return System.IO.File.Exists(given)
                ? throw new BenchException($"{given} is there already; the run makes its file new and removes it")
                : Removing(() => run(Path.GetFullPath(given)), () => System.IO.File.Delete(given));
        }

        var folder = Directory.CreateTempSubdirectory("aerie-device-").FullName;
        return Removing(() => run(Path.Combine(folder, "test.dat")), () => Directory.Delete(folder, recursive: true));
    }

    private static T Removing<T>(Func<T> run, Action remove)
    {
        try
        {
            return run();
        }
        finally
        {
            remove();
        }
    }
}
