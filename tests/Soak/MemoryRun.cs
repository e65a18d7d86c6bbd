using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.TestKit;

namespace Aerie.Soak;

internal sealed record MemoryPlan(int Records, int ValueSize, int CycleRecords);

/// What a record costs in the index and in the process, and that growing, deleting and refilling does not make it more.
internal sealed class MemoryRun(int port, MemoryPlan plan, string launcher)
{
    private const int IndexBytesMax = 48;
    private const int ProcessBytesMax = 208;
    private const int Cycles = 10;
    private const int BatchKeys = 1000;
    private const int WarmRecords = 20_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly BatchPolicy Policy = new() { TotalTimeout = Patience, SocketTimeout = Patience };

    private readonly Checks _checks = new();

    public int Run()
    {
        Console.WriteLine($"memory: {plan.Records} records of {plan.ValueSize} bytes, cycles of {plan.CycleRecords}, port {port}");
        OneGreatFill();
        ManyCycles();
        return _checks.Summary();
    }

    private void OneGreatFill()
    {
        using var node = Start(plan.Records);
        using var client = Connect();
        WarmUp(client);
        var (resident, index) = (node.ResidentBytes, OwnStatistic(client, "test.index_used_bytes"));
        Fill(client, plan.Records);
        var objects = Objects(client);
        _checks.That(objects == plan.Records, $"{objects} objects");
        var indexEach = (OwnStatistic(client, "test.index_used_bytes") - index) / (double)plan.Records;
        var processEach = (node.ResidentBytes - resident) / (double)plan.Records;
        _checks.That(indexEach <= IndexBytesMax, $"index_used_bytes: {indexEach:0.0} B per record, at most {IndexBytesMax}");
        _checks.That(processEach <= ProcessBytesMax, $"process: {processEach:0.0} B of RSS per record, at most {ProcessBytesMax}");
        Checks.Say($"before {resident >> 10} KiB, after {node.ResidentBytes >> 10} KiB, "
            + $"log {OwnStatistic(client, "test.data_resident_bytes") >> 10} KiB, "
            + $"index {OwnStatistic(client, "test.index_used_bytes") >> 10} KiB");
        SayLargestMappings(node);
    }

    private void ManyCycles()
    {
        using var node = Start(plan.CycleRecords);
        using var client = Connect();
        WarmUp(client);
        var full = new List<long>();
        var empty = new List<long>();
        for (var cycle = 0; cycle < Cycles; cycle++)
        {
            Fill(client, plan.CycleRecords);
            full.Add(node.ResidentBytes);
            Checks.Say($"cycle {cycle + 1}: {MemoryParts.Of(node, client)}");
            Empty(client, plan.CycleRecords, byTruncation: cycle % 2 == 1);
            empty.Add(node.ResidentBytes);
        }

        Checks.Say($"full, MiB: {string.Join(' ', full.Select(bytes => bytes >> 20))}");
        Checks.Say($"empty, MiB: {string.Join(' ', empty.Select(bytes => bytes >> 20))}");
        var worst = full.Max(bytes => Math.Abs((bytes * 100.0 / full[0]) - 100));
        _checks.That(worst <= 10, $"{Cycles} times filled and emptied: memory differs by {worst:0.0} % from the first time, at most 10 %");
    }

    private NodeProgram Start(long records)
    {
        const long ImageBytesMax = 400;
        var megabytes = Math.Max(256, (records * (ImageBytesMax + plan.ValueSize)) >> 20);
        var configuration = NodeProgram.Configuration(port, NodeProgram.Namespace("test", $"data-size {megabytes}M"));
        return NodeProgram.Start(configuration, port, launcher: launcher);
    }

    private AerieClient Connect() => new(new ClientPolicy { SeedsOnly = true }, HostAddress.Parse($"127.0.0.1:{port}"));

    private void WarmUp(AerieClient client)
    {
        Fill(client, WarmRecords);
        Empty(client, WarmRecords, byTruncation: false);
    }

    private void Fill(AerieClient client, int records)
    {
        var value = new byte[plan.ValueSize];
        new Random(1).NextBytes(value);
        var put = new[] { Operation.Put("v", value) };
        InBatches(client, records, key => new BatchEntry(key, put));
    }

    private void Empty(AerieClient client, int records, bool byTruncation)
    {
        if (byTruncation)
        {
            client.Truncate("test", "s");
        }
        else
        {
            var delete = new[] { Operation.Delete() };
            InBatches(client, records, key => new BatchEntry(key, delete));
        }

        _checks.That(Eventually.Holds(() => Objects(client) == 0, Patience), $"emptied by {(byTruncation ? "truncation" : "deleting")}");
    }

    private void InBatches(AerieClient client, int records, Func<Key, BatchEntry> entry)
    {
        var wrong = 0;
        foreach (var keys in Enumerable.Range(0, records).Chunk(BatchKeys))
        {
            var entries = keys.Select(number => entry(new Key("test", "s", (long)number))).ToList();
            client.Batch(entries, Policy);
            wrong += entries.Count(one => one.Result != Foundation.ResultCode.Ok);
        }

        if (wrong > 0)
        {
            _checks.That(false, $"{wrong} of {records} were refused");
        }
    }

    private static void SayLargestMappings(NodeProgram node)
    {
        var mappings = new List<(long Kilobytes, string Name)>();
        var name = "";
        foreach (var line in File.ReadLines($"/proc/{node.Pid}/smaps"))
        {
            if (line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                mappings.Add((long.Parse(line[4..].Replace("kB", "", StringComparison.Ordinal)), name));
            }
            else if (char.IsAsciiHexDigitLower(line[0]))
            {
                name = line;
            }
        }

        foreach (var (kilobytes, mapping) in mappings.OrderByDescending(one => one.Kilobytes).Take(6))
        {
            Checks.Say($"{kilobytes} KiB: {mapping}");
        }
    }

    private static long Objects(AerieClient client) => InfoText.Number(InfoText.Pairs(client.Info("namespace/test")), "objects");

    private static long OwnStatistic(AerieClient client, string key) => InfoText.Number(InfoText.Pairs(client.Info("aerie-stats")), key);
}
