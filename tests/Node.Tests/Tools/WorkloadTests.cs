using System.Text;
using Aerie.Client;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Protocol;
using Aerie.Server.Udf;
using Aerie.TestKit;
using Aerie.Tools.Bench;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Aerie.Node.Tests.Tools;

/// The requests of each workload as they are sent, on a whole node in the simulated world.
public sealed class WorkloadTests : IDisposable
{
    private const int Keys = 128;
    private const int Rows = 16;

    private readonly NodeUnderTest _node = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("aerie-workloads");
    private readonly SimulatedPeer _client;

    public WorkloadTests()
    {
        var modules = new UdfModules(_folder.FullName, _node.Node.Udfs, NullLogger.Instance);
        foreach (var module in (ScriptModule[])[ScriptModule.Bench, ScriptModule.Utxo])
        {
            Assert.Equal(UdfOutcome.Done, modules.Put(module.Name + ".lua", module.Text, out _));
        }

        _client = _node.Connect();
        _node.Settle();
    }

    public static TheoryData<string> Names => new(Workload.All.Where(workload => !workload.IsScan).Select(workload => workload.Name));

    public void Dispose()
    {
        _client.Close();
        _node.Settle();
        _node.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_workload_is_answered_as_it_wants_on_records_of_its_shape(string name)
    {
        var workload = Workload.Named(name)!;
        Load(workload.Shape);
        var tally = Send(Options(workload), requests: 200);
        Assert.Equal((0, 0L), (tally.Failures, tally.Unexpected));
    }

    [Theory]
    [InlineData("number-get")]
    [InlineData("map-get")]
    [InlineData("map-put")]
    [InlineData("filter")]
    [InlineData("udf")]
    [InlineData("udf-batch")]
    [InlineData("utxo")]
    public void On_other_records_a_workload_fails(string name)
    {
        Load(RecordShape.Text);
        Assert.NotEqual(0, Send(Options(Workload.Named(name)!), requests: 1).Failures);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_request_is_its_template_with_other_digests(string name)
    {
        var options = Options(Workload.Named(name)!);
        var plan = new LoadPlan(options, new SystemClock());
        var source = new RequestSource(plan, 0);
        var known = Enumerable.Range(0, Keys).ToDictionary(key => new Digest(plan.Keys[key]));
        var (sent, template) = (new byte[source.LengthMax(Connection)], new byte[source.LengthMax(Connection)]);
        for (var i = 0; i < 100 && !source.IsExhausted; i++)
        {
            var length = source.Write(Connection, sent);
            var original = plan.Requests.Single(request => request.Length == length && IsCopy(request));
            Assert.Equal(original.Digests, plan.Options.Workload.IsStream ? Rows : 1);
        }

        bool IsCopy(RequestTemplate request)
        {
            request.CopyTo(template);
            var places = request.Digests;
            var rest = sent.AsSpan(0, request.Length);
            var keys = new HashSet<int>();
            for (var place = 0; place < places; place++)
            {
                var at = request.OffsetOf(place);
                if (!known.TryGetValue(new Digest(rest.Slice(at, Digest.Length)), out var key) || !keys.Add(key))
                {
                    return false;
                }

                request.Patch(template, place, plan.Keys[key]);
            }

            return rest.SequenceEqual(template.AsSpan(0, request.Length));
        }
    }

    [Fact]
    public void Spends_spend_every_output_once_and_then_end()
    {
        Load(RecordShape.Outputs);
        var tally = Send(Options(Workload.Utxo), int.MaxValue);
        Assert.Equal((Keys * 4 / Rows, Keys * 4, 0), (tally.Requests, tally.Records, tally.Failures));
        for (var key = 0; key < Keys; key++)
        {
            var record = Get(key);
            Assert.Equal(RecordShapes.Outputs, record["spentUtxos"].Number);
            var utxos = (List<object?>)UdfValues.Unpacked(record["utxos"].Value)!;
            Assert.All(utxos, utxo => Assert.Equal(68, ((byte[])utxo!).Length));
        }
    }

    [Fact]
    public void Lives_go_on_when_all_records_had_one()
    {
        Load(RecordShape.Outputs);
        var options = Options(Workload.UtxoMixed);
        Assert.Equal(Keys, options.StepDistance * options.Workload.Steps);
        Assert.Null(options.Complaint());
        Assert.NotNull((options with { Keys = Keys - 1 }).Complaint());
        var tally = Send(options, requests: 300);
        Assert.Equal((300, 300 * Rows, 0), (tally.Requests, tally.Records, tally.Failures));
        var spent = Enumerable.Range(0, Keys).Select(key => Get(key)["spentUtxos"].Number).Distinct().Order();
        Assert.Equal([0, 4, 7, 8, 11, 15], spent);
    }

    [Fact]
    public void A_map_is_put_over_and_keeps_its_size()
    {
        Load(RecordShape.Map);
        var before = Get(0)["m"].Value;
        Send(Options(Workload.MapPut), requests: 500);
        var after = Get(0)["m"].Value;
        Assert.Equal(before.Length, after.Length);
        Assert.NotEqual(before, after);
    }

    [Fact]
    public void A_function_writes_what_it_computes()
    {
        Load(RecordShape.Numbers);
        Send(Options(Workload.UdfBatch), requests: 40);
        Assert.All(Enumerable.Range(0, Keys), key => Assert.InRange((Get(key)["n"].Number - 10) / 20.0, 1, 16));
    }

    private static LoadConnection Connection => new(1, null);

    private static BenchOptions Options(Workload workload) => new()
    {
        Set = "s",
        Keys = Keys,
        Workload = workload,
        Connections = 1,
        BatchSize = Rows,
        ValueSize = 20,
    };

    private void Load(RecordShape shape, int keys = Keys)
    {
        var tally = Send(Options(Workload.Insert) with { Shape = shape, Keys = keys }, int.MaxValue);
        Assert.Equal((keys, 0), (tally.Records, tally.Failures));
    }

    /// What all the requests were answered with.
    private Totals Send(BenchOptions options, int requests)
    {
        var plan = new LoadPlan(options, new SystemClock());
        var source = new RequestSource(plan, 0);
        var (tally, connection) = (new ReplyTally(options.Workload.Answer), Connection);
        var buffer = new byte[source.LengthMax(connection)];
        var totals = default(Totals);
        for (var i = 0; i < requests && !source.IsExhausted; i++)
        {
            var reply = _node.Ask(_client, buffer.AsSpan(0, source.Write(connection, buffer)));
            tally.Reset();
            var read = options.Workload.IsStream ? connection.Scanner.ScanStream(reply, tally) : ReplyScanner.ScanSingle(reply, tally);
            Assert.Equal(reply.Length, read);
            totals = new Totals(
                totals.Requests + tally.Requests, totals.Records + tally.Records, totals.Failures + tally.Failures, tally.Unexpected);
        }

        return totals;
    }

    private WireReply Get(int key)
    {
        var writer = new MessageWriter();
        Requests.Read(writer, Policy.Default, new Key("test", "s", (long)key), []);
        return WireReply.Read(_node.Ask(_client, writer.Written));
    }

    private readonly record struct Totals(int Requests, int Records, int Failures, long Unexpected);
}
