using System.Text;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Udf;
using Aerie.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Aerie.Node.Tests.Transactions.Udfs;

/// A node in the simulated world with one module, m, and a client.
internal sealed class UdfHarness : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("aerie-udf");

    public UdfHarness(string module, int loops = 1)
    {
        Node = new NodeUnderTest(loops: loops);
        Modules = new UdfModules(_folder.FullName, Node.Node.Udfs, NullLogger.Instance);
        Put("m", module);
        Client = Connect();
    }

    public NodeUnderTest Node { get; }

    public SimulatedPeer Client { get; }

    public UdfModules Modules { get; }

    /// Commands that wait, on all loops.
    public int Parked => Node.Node.Loops.Sum(loop => loop.Parked.Count);

    public static WireRequest Call(string key, string function, params byte[] arguments) => CallIn("m", key, function, arguments);

    public static WireRequest CallIn(string module, string key, string function, params byte[] arguments) =>
        new WireRequest().Flags(Info2.Write).Record(key, "s")
            .Field(FieldId.UdfModule, Encoding.UTF8.GetBytes(module))
            .Field(FieldId.UdfFunction, Encoding.UTF8.GetBytes(function))
            .Field(FieldId.UdfArguments, arguments);

    /// The text of an error.
    public static string Failure(WireReply reply)
    {
        Assert.Equal(ResultCode.UdfExecution, reply.Result);
        return reply["FAILURE"].Text;
    }

    public void Put(string module, string text) =>
        Assert.Equal(UdfOutcome.Done, Modules.Put($"{module}.lua", Encoding.UTF8.GetBytes(text), out _));

    public SimulatedPeer Connect()
    {
        var client = Node.Connect();
        Turn(3); // it is accepted in a turn of its own
        return client;
    }

    public void Turn(int times)
    {
        for (var i = 0; i < times; i++)
        {
            Node.Turn();
        }
    }

    public long Count(NamespaceCounter counter) => Node.Node.Namespaces.All[0].Counters.Sum(counter);

    /// Waits for the reply, not for the node to be quiet, which it is not while a function runs.
    public WireReply Ask(WireRequest request)
    {
        Client.Send(request.Bytes());
        return Answer(Client);
    }

    /// All rows, and the end of the batch.
    public IReadOnlyList<WireReply> Ask(WireBatch batch)
    {
        Client.Send(batch.Bytes());
        var replies = new List<WireReply>();
        while (replies is [] || (replies[^1].Header.Info3 & Info3.Last) == 0)
        {
            Node.RunUntil(() => Client.Available > 0);
            replies.AddRange(WireReply.ReadAll(Client.ReadAll()));
        }

        return replies;
    }

    /// On a connection of its own, without waiting for the answer.
    public SimulatedPeer Begin(WireRequest request)
    {
        var client = Connect();
        client.Send(request.Bytes());
        Turn(2);
        return client;
    }

    public WireReply Answer(SimulatedPeer client)
    {
        Node.RunUntil(() => client.Available > 0);
        return WireReply.Read(client.ReadAll());
    }

    public void Dispose()
    {
        Client.Close();
        Node.Settle();
        Assert.Equal(0, Parked);
        Node.Dispose();
        _folder.Delete(recursive: true);
    }
}
