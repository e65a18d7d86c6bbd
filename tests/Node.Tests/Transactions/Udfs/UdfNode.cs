using System.Text;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Udf;
using Aerie.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Aerie.Node.Tests.Transactions.Udfs;

/// A simulated node with one module "m", and clients that call its functions.
internal sealed class UdfNode : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("aerie-udf");
    private readonly SimulatedPeer _client;

    public UdfNode(string text, int loops = 1)
    {
        Under = new NodeUnderTest(loops: loops);
        Modules = new UdfModules(_folder.FullName, Under.Node.Udfs, NullLogger.Instance);
        Put("m", text);
        _client = Connect();
    }

    public NodeUnderTest Under { get; }

    public UdfModules Modules { get; }

    public int Parked => Under.Node.Loops.Sum(loop => loop.Parked.Count);

    public long Objects => Under.Node.Namespaces.All[0].Objects;

    public static WireRequest Call(string key, string function, string module = "m", params byte[] arguments) =>
        new WireRequest().Flags(Info2.Write).Timeout(60_000).Record(key, "s")
            .Field(FieldId.UdfModule, Encoding.UTF8.GetBytes(module))
            .Field(FieldId.UdfFunction, Encoding.UTF8.GetBytes(function))
            .Field(FieldId.UdfArguments, arguments);

    public static string Failure(WireReply reply)
    {
        Assert.Equal(ResultCode.UdfExecution, reply.Result);
        return reply["FAILURE"].Text;
    }

    public void Put(string module, string text) =>
        Assert.Equal(UdfOutcome.Done, Modules.Put($"{module}.lua", Encoding.UTF8.GetBytes(text), out _));

    public SimulatedPeer Connect()
    {
        var client = Under.Connect();
        Turn(3); // it is accepted in a turn of its own
        return client;
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
        Under.RunUntil(() => client.Available > 0);
        return WireReply.Read(client.ReadAll());
    }

    /// Also while functions run.
    public WireReply Ask(WireRequest request)
    {
        _client.Send(request.Bytes());
        return Answer(_client);
    }

    /// All rows, and the end of the batch.
    public IReadOnlyList<WireReply> Ask(WireBatch batch)
    {
        _client.Send(batch.Bytes());
        var replies = new List<WireReply>();
        while (replies is [] || (replies[^1].Header.Info3 & Info3.Last) == 0)
        {
            Under.RunUntil(() => _client.Available > 0);
            replies.AddRange(WireReply.ReadAll(_client.ReadAll()));
        }

        return replies;
    }

    public void Turn(int times)
    {
        for (var i = 0; i < times; i++)
        {
            Under.Turn();
        }
    }

    public long Count(NamespaceCounter counter) => Under.Node.Namespaces.All[0].Counters.Sum(counter);

    public void Dispose()
    {
        _client.Close();
        Under.Settle();
        Assert.Equal(0, Parked);
        Under.Dispose();
        _folder.Delete(recursive: true);
    }
}
