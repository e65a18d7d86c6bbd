using System.Globalization;
using Aerie.Foundation;
using Aerie.TestKit;

namespace Aerie.Soak.Udfs;

/// One connection with a record of its own that calls functions in bursts, and knows for each call what must come of it.
internal sealed class UdfWorker
{
    public const string HotKey = "hot";

    private const int Burst = 32;
    private const int BatchRows = 10;
    private const int ModulesPerWorker = 250;
    private const byte By = 3;

    private readonly int _port;
    private readonly int _number;
    private readonly UdfTally _tally;
    private readonly ModuleChanger _modules;
    private readonly Random _random;
    private readonly Step[] _steps;
    private readonly int _weights;
    private readonly Queue<(Step Step, int Registered)> _sent = new();
    private readonly long[] _batchSums = new long[BatchRows];
    private WireConnection? _connection;

    /// What is sent, how often, and what is made of the answer; `registered`: the version of the changing module at least.
    private sealed record Step(int Weight, byte[] Bytes, Action<WireReply, int> Take);

    public UdfWorker(int port, int number, int seed, UdfTally tally, ModuleChanger modules)
    {
        _port = port;
        _number = number;
        _tally = tally;
        _modules = modules;
        _random = new Random(unchecked((seed * 1_000_003) + number));
        _steps = [.. Scripts(), .. Counts(), .. Changing(), .. Many(), .. Mistakes()];
        _weights = _steps.Sum(step => step.Weight);
    }

    public string Key => $"own-{_number}";

    /// What its record must say in the end.
    public long Sum { get; private set; }

    public string BatchKey(int row) => $"batch-{_number}-{row}";

    public long BatchSum(int row) => _batchSums[row];

    public static int RowsOfBatch => BatchRows;

    public void Run(ManualResetEventSlim stop)
    {
        try
        {
            using var connection = new WireConnection(_port);
            _connection = connection;
            while (!stop.IsSet)
            {
                OneBurst(connection);
                OneBatch(connection);
            }
        }
        catch (Exception failure)
        {
            _tally.Problem($"connection {_number} ends: {failure.Message}");
        }
    }

    private void OneBurst(WireConnection connection)
    {
        for (var i = 0; i < Burst; i++)
        {
            var step = Choose();
            _sent.Enqueue((step, _modules.Registered));
            connection.Send(step.Bytes);
        }

        while (_sent.TryDequeue(out var sent))
        {
            sent.Step.Take(connection.ReadOne(), sent.Registered);
        }
    }

    private Step Choose()
    {
        var dice = _random.Next(_weights);
        foreach (var step in _steps)
        {
            dice -= step.Weight;
            if (dice < 0)
            {
                return step;
            }
        }

        throw new InvalidOperationException();
    }

    private IEnumerable<Step> Scripts() => UdfScripts.All.Select((script, number) => new Step(
        script.Weight, WireConnection.Call(Key, UdfScripts.Module, script.Name, timeout: script.TimeoutMs),
        (reply, _) => TakeScript(reply, number, inBatch: false)));

    private void TakeScript(WireReply reply, int number, bool inBatch)
    {
        var script = UdfScripts.All[number];
        _tally.NoteFailed(number, inBatch);
        var text = TextOfFailure(reply);
        var place = UdfScripts.PlaceOf(number);
        var isRight = script.HasNoPlace ? text.Contains(script.Error!, StringComparison.Ordinal)
            : script.Error!.Length > 0 ? text == place + script.Error
            : text.StartsWith(place, StringComparison.Ordinal) && text.Length > place.Length;
        if (!isRight)
        {
            _tally.Problem($"{script.Name}: {reply.Result} '{text}'");
        }
    }

    private IEnumerable<Step> Counts()
    {
        yield return new Step(2_000, WireConnection.Call(Key, UdfScripts.Module, UdfScripts.Add, By), (reply, _) =>
            Expect("add", reply, Sum += By));
        yield return new Step(5, WireConnection.Call(Key, UdfScripts.Module, UdfScripts.AddSlowly, By), (reply, _) =>
            Expect("add slowly", reply, Sum += By));
        yield return new Step(1_000, WireConnection.Call(Key, UdfScripts.Module, UdfScripts.AddAndFail, By), (reply, _) =>
        {
            Sum += By; // what was updated before an error stays
            ExpectFailure("add and fail", reply, $"{UdfScripts.PlaceOfAddAndFail}late");
        });
        yield return new Step(200, WireConnection.Call(HotKey, UdfScripts.Module, UdfScripts.Add, By), TakeHot);
        yield return new Step(5, WireConnection.Call(HotKey, UdfScripts.Module, UdfScripts.AddSlowly, By), TakeHot);
    }

    private void TakeHot(WireReply reply, int registered)
    {
        if (reply.Result == ResultCode.KeyBusy)
        {
            _tally.NoteRefused();
            return;
        }

        _tally.NoteHot(By);
        Expect("hot", reply, null);
    }

    private IEnumerable<Step> Changing()
    {
        yield return new Step(500, WireConnection.Call(Key, UdfScripts.VersionModule, "version"), (reply, registered) =>
        {
            Expect("version", reply, null);
            Judge((int)NumberOf(reply), registered);
        });
        yield return new Step(500, WireConnection.Call(Key, UdfScripts.VersionModule, "fail"), (reply, registered) =>
        {
            var text = TextOfFailure(reply);
            _ = int.TryParse(text[(text.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture, out var version);
            ExpectFailure("version that fails", reply, UdfScripts.VersionError(version));
            Judge(version, registered);
        });
        yield return new Step(200, WireConnection.Call(Key, UdfScripts.GoneModule, "there"), (reply, _) =>
        {
            if (reply.Result == ResultCode.Ok)
            {
                Expect("gone", reply, 1);
            }
            else
            {
                ExpectFailure("gone", reply, $"module '{UdfScripts.GoneModule}' not found");
            }
        });
    }

    // More than a node keeps states for.
    private IEnumerable<Step> Many()
    {
        for (var i = 0; i < ModulesPerWorker; i++)
        {
            var number = _random.Next(UdfScripts.ManyModules);
            yield return new Step(1, WireConnection.Call(Key, UdfScripts.ManyModule(number), "f"), (reply, _) =>
                Expect("one of many modules", reply, number));
        }
    }

    private void Judge(int version, int registered)
    {
        if (version < registered || version > _modules.Started)
        {
            _tally.Problem($"version {version}, but {registered} was registered before the call");
        }
    }

    private IEnumerable<Step> Mistakes()
    {
        yield return new Step(500, WireConnection.Call(Key, UdfScripts.Module, "nowhere"), (reply, _) =>
            ExpectFailure("no function", reply, "function not found"));
        yield return new Step(500, WireConnection.Call(Key, "nowhere", "nothing"), (reply, _) =>
            ExpectFailure("no module", reply, "module 'nowhere' not found"));
        yield return new Step(500, WireConnection.Call(Key, UdfScripts.Module, "arguments", 0xC1), (reply, _) =>
        {
            _tally.NoteFailed(inBatch: false);
            if (reply.Result != ResultCode.Parameter)
            {
                _tally.Problem($"arguments that are none: {reply.Result}");
            }
        });
    }

    // Rows that fail between rows that do not.
    private void OneBatch(WireConnection connection)
    {
        var batch = new WireBatch { Timeout = 60_000 };
        var scripts = new int[BatchRows];
        for (var row = 0; row < BatchRows; row++)
        {
            scripts[row] = row % 3 == 0 ? -1 : RandomQuickScript();
            _ = scripts[row] < 0
                ? batch.Call(BatchKey(row), UdfScripts.Module, UdfScripts.Add, [0x91, By])
                : batch.Call(BatchKey(row), UdfScripts.Module, UdfScripts.All[scripts[row]].Name, []);
        }

        connection.Send(batch.Bytes());
        var rows = 0;
        for (var isLast = false; !isLast;)
        {
            foreach (var reply in connection.Read())
            {
                isLast = (reply.Header.Info3 & Protocol.Info3.Last) != 0;
                if (!isLast)
                {
                    rows++;
                    TakeRow(reply, (int)reply.Header.Timeout, scripts);
                }
            }
        }

        if (rows != BatchRows)
        {
            _tally.Problem($"a batch of {BatchRows} has {rows} answers");
        }
    }

    private void TakeRow(WireReply reply, int row, int[] scripts)
    {
        if (scripts[row] >= 0)
        {
            TakeScript(reply, scripts[row], inBatch: true);
            return;
        }

        _tally.NoteCompleted(inBatch: true);
        _batchSums[row] += By;
        if (reply.Result != ResultCode.Ok || NumberOf(reply) != _batchSums[row])
        {
            _tally.Problem($"row {row} of a batch: {reply.Result}, {NumberOf(reply)} instead of {_batchSums[row]}");
        }
    }

    private int RandomQuickScript()
    {
        while (true)
        {
            var number = _random.Next(UdfScripts.All.Count);
            if (UdfScripts.All[number].Weight == UdfScripts.All[0].Weight)
            {
                return number;
            }
        }
    }

    private void Expect(string what, WireReply reply, long? value)
    {
        _tally.NoteCompleted(inBatch: false);
        if (reply.Result != ResultCode.Ok || (value is { } number && NumberOf(reply) != number))
        {
            _tally.Problem($"{what}: {reply.Result} {NumberOf(reply)} instead of {value}");
        }
    }

    private void ExpectFailure(string what, WireReply reply, string text)
    {
        _tally.NoteFailed(inBatch: false);
        if (TextOfFailure(reply) != text)
        {
            _tally.Problem($"{what}: {reply.Result} '{TextOfFailure(reply)}' instead of '{text}'");
        }
    }

    private static string TextOfFailure(WireReply reply) =>
        reply.Result == ResultCode.UdfExecution && reply.Ops is [{ Name: "FAILURE" } bin] ? bin.Text : "";

    private static long NumberOf(WireReply reply) => reply.Ops is [{ Name: "SUCCESS", Value.Length: 8 } bin] ? bin.Number : -1;
}
