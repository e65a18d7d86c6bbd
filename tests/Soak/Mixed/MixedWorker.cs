using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Foundation;

namespace Aerie.Soak.Mixed;

/// One connection with keys of its own and a model of them: every answer has exactly one right value. Shares only the hot
/// counters with others, whose sums are checked in the end.
internal sealed class MixedWorker
{
    public const string Namespace = "test";
    public const string HotSet = "hot";
    public const int HotKeys = 8;
    public const int KeysPerWorker = 250;
    public const int Sets = 4;

    /// Long: the load is to be judged, not the speed of the machine it runs on.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static readonly Policy Reading = new() { TotalTimeout = Patience, SocketTimeout = Patience, MaxRetries = 0 };
    public static readonly WritePolicy Writing = new() { TotalTimeout = Patience, SocketTimeout = Patience };

    private static readonly BatchPolicy BatchReading = new() { TotalTimeout = Patience, SocketTimeout = Patience, MaxRetries = 0 };
    private static readonly string[] SomeBins = [ModelRecord.Number, ModelRecord.Text];

    private readonly int _number;
    private readonly HostAddress _host;
    private readonly Random _random;
    private readonly MixedTally _tally;
    private readonly ModelRecord?[] _model = new ModelRecord?[KeysPerWorker];
    private readonly Key[] _keys;
    private readonly (int Weight, Action<AerieClient, int> Step)[] _steps;
    private readonly int _weights;

    public MixedWorker(int number, HostAddress host, int seed, MixedTally tally)
    {
        _number = number;
        _host = host;
        _random = new Random(unchecked((seed * 1_000_003) + number));
        _tally = tally;
        _keys = [.. Enumerable.Range(0, KeysPerWorker)
            .Select(slot => new Key(Namespace, SetOf(slot), (number * (long)KeysPerWorker) + slot))];
        _steps =
        [
            (16, Put), (4, Replace), (20, Get), (6, GetSome), (6, Header), (8, Add), (6, AppendOrPrepend), (5, Touch), (8, Delete),
            (8, Operate), (3, WrongGeneration), (3, CreateOnly), (2, UpdateOnly), (6, Batch), (2, AddHot),
        ];
        _weights = _steps.Sum(step => step.Weight);
    }

    public static string SetOf(int slot) => $"set{slot % Sets}";

    /// Until `stop` is set, with a pause between operations.
    public void Run(ManualResetEventSlim stop, TimeSpan pause)
    {
        try
        {
            using var client = new AerieClient(new ClientPolicy { SeedsOnly = true, ConnectTimeout = Patience }, _host);
            var mortals = new MortalKeys(client, _number, _random, _tally);
            foreach (var slot in Enumerable.Range(0, KeysPerWorker))
            {
                Put(client, slot); // the run is about changing what is there, not about growing
            }

            while (!stop.Wait(pause * (_random.NextDouble() * 2)))
            {
                Step(client, mortals);
            }

            foreach (var slot in Enumerable.Range(0, KeysPerWorker))
            {
                Get(client, slot);
            }
        }
        catch (Exception failure)
        {
            _tally.Problem($"connection {_number} ends: {failure.Message}");
        }
    }

    private void Step(AerieClient client, MortalKeys mortals)
    {
        _tally.NoteOperation();
        var dice = _random.Next(_weights + 7);
        if (dice >= _weights)
        {
            if (dice - _weights < 3)
            {
                mortals.Create(Namespace);
            }
            else
            {
                mortals.Look();
            }

            return;
        }

        foreach (var (weight, step) in _steps)
        {
            dice -= weight;
            if (dice < 0)
            {
                step(client, _random.Next(KeysPerWorker));
                return;
            }
        }
    }

    // ---- reads ----

    private void Get(AerieClient client, int slot) => Compare("get", slot, client.Get(Reading, _keys[slot]));

    private void GetSome(AerieClient client, int slot) => Compare("get some", slot, client.Get(Reading, _keys[slot], SomeBins), SomeBins);

    private void Header(AerieClient client, int slot) => Compare("exists", slot, client.GetHeader(_keys[slot], Reading), []);

    // ---- writes ----

    private void Put(AerieClient client, int slot)
    {
        var bins = SomeNewBins();
        client.Put(Writing, _keys[slot], bins);
        Existing(slot).Put(bins);
        _model[slot]!.Written();
    }

    private void Replace(AerieClient client, int slot)
    {
        var bins = SomeNewBins();
        client.Put(Writing with { Exists = ExistsAction.Replace }, _keys[slot], bins);
        Existing(slot).Bins.Clear();
        _model[slot]!.Put(bins);
        _model[slot]!.Written();
    }

    private void Add(AerieClient client, int slot)
    {
        var delta = _random.Next(-1000, 1000);
        client.Add(_keys[slot], new Bin(ModelRecord.Number, (long)delta), Writing);
        var record = Existing(slot);
        record.Bins[ModelRecord.Number] = record.LongOf(ModelRecord.Number) + delta;
        record.Written();
    }

    private void AppendOrPrepend(AerieClient client, int slot)
    {
        const int TextMax = 400;
        if (_model[slot] is { } old && old.TextOf(ModelRecord.Text).Length > TextMax)
        {
            Replace(client, slot);
            return;
        }

        var piece = $"<{_random.Next(1000)}>";
        var appends = _random.Next(2) == 0;
        var bin = new Bin(ModelRecord.Text, piece);
        if (appends)
        {
            client.Append(_keys[slot], bin, Writing);
        }
        else
        {
            client.Prepend(_keys[slot], bin, Writing);
        }

        var record = Existing(slot);
        var text = record.TextOf(ModelRecord.Text);
        record.Bins[ModelRecord.Text] = appends ? text + piece : piece + text;
        record.Written();
    }

    private void Touch(AerieClient client, int slot)
    {
        Expect("touch", slot, client.Touch(_keys[slot], Writing));
        _model[slot]?.Written();
    }

    private void Delete(AerieClient client, int slot)
    {
        Expect("delete", slot, client.Delete(_keys[slot], Writing));
        Forget(slot);
    }

    private void Operate(AerieClient client, int slot)
    {
        var text = $"operated {_random.Next()}";
        var found = client.Operate(
            Writing, _keys[slot],
            Operation.Add(ModelRecord.Number, 7L),
            Operation.Get(ModelRecord.Number),
            Operation.Put(ModelRecord.Text, text),
            Operation.Get(ModelRecord.Text));
        var record = Existing(slot);
        record.Bins[ModelRecord.Number] = record.LongOf(ModelRecord.Number) + 7;
        record.Bins[ModelRecord.Text] = text;
        record.Written();
        Compare("operate", slot, found, SomeBins);
    }

    // ---- conditions ----

    private void WrongGeneration(AerieClient client, int slot)
    {
        if (_model[slot] is { } record)
        {
            var policy = Writing with { GenerationPolicy = GenerationPolicy.ExpectEqual, Generation = record.Generation + 1 };
            Refused("wrong generation", slot, ResultCode.Generation, () => client.Put(policy, _keys[slot], SomeNewBins()));
        }
    }

    private void CreateOnly(AerieClient client, int slot)
    {
        var bins = SomeNewBins();
        var policy = Writing with { Exists = ExistsAction.CreateOnly };
        if (_model[slot] is not null)
        {
            Refused("create only", slot, ResultCode.RecordExists, () => client.Put(policy, _keys[slot], bins));
            return;
        }

        client.Put(policy, _keys[slot], bins);
        Existing(slot).Put(bins);
        _model[slot]!.Written();
    }

    private void UpdateOnly(AerieClient client, int slot)
    {
        if (_model[slot] is null)
        {
            var policy = Writing with { Exists = ExistsAction.UpdateOnly };
            Refused("update only", slot, ResultCode.NotFound, () => client.Put(policy, _keys[slot], SomeNewBins()));
        }
    }

    // ---- many ----

    // Reads ten neighbours, writes one, deletes another.
    private void Batch(AerieClient client, int slot)
    {
        const int Reads = 10;
        var slots = Enumerable.Range(slot, Reads + 2).Select(at => at % KeysPerWorker).ToArray();
        var entries = slots.Take(Reads).Select(at => new BatchEntry(_keys[at])).ToList();
        var (written, deleted) = (slots[Reads], slots[Reads + 1]);
        var bins = SomeNewBins();
        entries.Add(new BatchEntry(_keys[written], [.. bins.Select(bin => Operation.Put(bin.Name, bin.Value))]));
        entries.Add(new BatchEntry(_keys[deleted], Operation.Delete()));
        client.Batch(entries, BatchReading);
        for (var i = 0; i < Reads; i++)
        {
            var result = entries[i].Result;
            if (result is not (ResultCode.Ok or ResultCode.NotFound))
            {
                _tally.Problem($"batch read of {_keys[slots[i]]}: {result}");
            }

            Compare("batch read", slots[i], entries[i].Record);
        }

        if (entries[Reads].Result != ResultCode.Ok)
        {
            _tally.Problem($"batch write of {_keys[written]}: {entries[Reads].Result}");
        }

        Existing(written).Put(bins);
        _model[written]!.Written();
        Expect("batch delete", deleted, entries[Reads + 1].Result == ResultCode.Ok);
        Forget(deleted);
    }

    private void AddHot(AerieClient client, int slot)
    {
        var key = _random.Next(HotKeys);
        try
        {
            client.Add(new Key(Namespace, HotSet, (long)key), new Bin(ModelRecord.Number, (long)slot), Writing);
            _tally.NoteHot(key, slot);
        }
        catch (AerieException busy) when (busy.Code == ResultCode.KeyBusy)
        {
            _tally.NoteBusy();
        }
    }

    // ---- the model ----

    private ModelRecord Existing(int slot)
    {
        if (_model[slot] is null)
        {
            _model[slot] = new ModelRecord();
            _tally.NoteInserted(SetOf(slot));
        }

        return _model[slot]!;
    }

    private void Forget(int slot)
    {
        if (_model[slot] is not null)
        {
            _model[slot] = null;
            _tally.NoteDeleted(SetOf(slot));
        }
    }

    private Bin[] SomeNewBins()
    {
        const int BlobMax = 1500;
        var bins = new List<Bin>();
        var choice = _random.Next(1, 32);
        Add(1, ModelRecord.Number, () => _random.NextInt64());
        Add(2, ModelRecord.Fraction, () => _random.NextDouble());
        Add(4, ModelRecord.Text, () => $"text {_random.Next()}");
        Add(8, ModelRecord.Flag, () => _random.Next(2) == 0);
        Add(16, ModelRecord.Blob, () => Blob(_random.Next(BlobMax)));
        return [.. bins];

        void Add(int bit, string name, Func<Value> value)
        {
            if ((choice & bit) != 0)
            {
                bins.Add(new Bin(name, value()));
            }
        }
    }

    private byte[] Blob(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private void Compare(string what, int slot, Record? found, IReadOnlyList<string>? names = null)
    {
        if (ModelRecord.Difference(_model[slot], found, names) is { } difference)
        {
            _tally.Problem($"{what} of {_keys[slot]}: {difference}");
        }
    }

    private void Expect(string what, int slot, bool found)
    {
        if (found != _model[slot] is not null)
        {
            _tally.Problem($"{what} of {_keys[slot]}: it was {(found ? "there" : "not there")}");
        }
    }

    private void Refused(string what, int slot, ResultCode code, Action write)
    {
        try
        {
            write();
            _tally.Problem($"{what} of {_keys[slot]}: not refused");
        }
        catch (AerieException refused) when (refused.Code == code)
        {
            // as it must be
        }
    }
}
