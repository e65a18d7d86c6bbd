using System.Diagnostics;
using System.Globalization;
using Aerie.DataModel;
using Aerie.Protocol;
using Aerie.TestKit;

namespace Aerie.Benchmarks;

/// What a record costs inside a batch and inside a query: one loop of a whole node on the simulated engine, so that the
/// kernel's share is left out and the copy into the simulated wire is included. CPU time of the process.
internal static class ManyRecordsBenchmark
{
    private const int BatchKeys = 5000;
    private const int Batches = 400;
    private const int Queries = 3;

    public static void Run(int records)
    {
        using var node = new NodeUnderTest(NodeUnderTest.Configuration("", "data-size 4G"));
        var client = node.Connect();
        client.ReceiveWindow = int.MaxValue;
        for (var i = 0; i < records; i++)
        {
            var put = new WireRequest().Flags(Info2.Write).Record(Key(i), "s").Op(OpCode.Write, "bin", ParticleType.Bytes, new byte[100]);
            client.Send(put.Bytes());
            if (i % 1000 == 999)
            {
                node.Settle();
                client.ReadAll();
            }
        }

        var random = new Random(1);
        var requests = Enumerable.Range(0, 20).Select(_ => Batch(random, records)).ToArray();
        var query = new WireQuery().Flags(Info3.PartitionDone).Bytes();
        Measure("batch read", (long)Batches * BatchKeys, node, client, Batches, run => requests[run % requests.Length]);
        Measure("query", (long)Queries * records, node, client, Queries, _ => query);
        client.Close();
        node.Settle();
    }

    private static void Measure(
        string what, long records, NodeUnderTest node, SimulatedPeer client, int runs, Func<int, byte[]> request)
    {
        var loop = node.Node.Loops[0];
        var into = new byte[1024 * 1024];
        RunOnce(request(0));
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var start = Process.GetCurrentProcess().TotalProcessorTime;
        var received = 0L;
        for (var run = 0; run < runs; run++)
        {
            received += RunOnce(request(run));
        }

        var microseconds = (Process.GetCurrentProcess().TotalProcessorTime - start).TotalMicroseconds / records;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        var bytes = (double)allocated / records;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {microseconds:0.000} us CPU, {bytes:0.000} B allocated, {received / records} B received per record"));

        long RunOnce(byte[] bytes)
        {
            var received = 0L;
            client.Send(bytes);
            for (var idle = 0; idle < 30;)
            {
                loop.Turn(0);
                var read = client.Read(into);
                idle = read == 0 ? idle + 1 : 0;
                received += read;
            }

            return received;
        }
    }

    private static byte[] Batch(Random random, int records)
    {
        var batch = new WireBatch();
        for (var i = 0; i < BatchKeys; i++)
        {
            var key = Key(random.Next(records));
            _ = i == 0 ? batch.Read(key) : batch.Repeat(key);
        }

        return batch.Bytes();
    }

    private static string Key(int number) => number.ToString(CultureInfo.InvariantCulture);
}
