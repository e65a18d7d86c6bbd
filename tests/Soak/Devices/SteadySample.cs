using System.Globalization;
using Aerie.Client;
using Aerie.TestKit;

namespace Aerie.Soak.Devices;

/// A node at one moment, as its namespace and the kernel say.
internal readonly record struct SteadySample(
    long UsedPct, long AvailablePct, bool StopsWrites, long Writes, long ResidentBytes, long WrittenBytes)
{
    public static SteadySample Of(NodeProgram node, AerieClient client)
    {
        var state = DeviceNode.State(client);
        return new SteadySample(
            InfoText.Number(state, "data_used_pct"),
            InfoText.Number(state, "data_avail_pct"),
            state["stop_writes"] == "true",
            InfoText.Number(state, "client_write_success"),
            node.ResidentBytes,
            WrittenBy(node.Pid));
    }

    public override string ToString() => $"RSS {ResidentBytes >> 20} MiB, used {UsedPct} %, available {AvailablePct} %";

    private static long WrittenBy(int pid)
    {
        const string Key = "write_bytes:";
        var line = File.ReadLines($"/proc/{pid}/io").First(line => line.StartsWith(Key, StringComparison.Ordinal));
        return long.Parse(line[Key.Length..], CultureInfo.InvariantCulture);
    }
}
