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
        var modules = new UdfModules(_folder.FullName, Node.Node.Udfs, NullLogger.Instance);
        Assert.Equal(UdfOutcome.Done, modules.Put("m.lua", Encoding.UTF8.GetBytes(module), out _));
        Client = Connect();
    }

    public NodeUnderTest Node { get; }

    public SimulatedPeer Client { get; }

    public static WireRequest Call(string key, string function, params byte[] arguments) =>
        new WireRequest().Flags(Info2.Write).Record(key, "s")
            .Field(FieldId.UdfModule, "m"u8)
            .Field(FieldId.UdfFunction, Encoding.UTF8.GetBytes(function))
            .Field(FieldId.UdfArguments, arguments);

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
        Node.RunUntil(() => Client.Available > 0);
        return WireReply.Read(Client.ReadAll());
    }

    public void Dispose()
    {
        Client.Close();
        Node.Settle();
        Node.Dispose();
        _folder.Delete(recursive: true);
    }
}
