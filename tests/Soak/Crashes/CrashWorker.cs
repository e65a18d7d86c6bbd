using System.Diagnostics;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Foundation;

namespace Aerie.Soak.Crashes;

/// One connection with keys and sets of its own, through all lives of the node: it remembers what was acknowledged and when.
internal sealed class CrashWorker(int number, HostAddress host, int seed, bool commits, Stopwatch watch)
{
    private const string Namespace = "test";
    private const string Bin = "b";
    private const int Sets = 3;
    private const int KeysPerWorker = 200;
    private const int LargeMax = 100_000;
    private const int SmallMax = 2000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly WritePolicy Writing = new() { TotalTimeout = Patience, SocketTimeout = Patience };
    private static readonly Policy Reading = new() { TotalTimeout = Patience, SocketTimeout = Patience, MaxRetries = 0 };

    private readonly Random _random = new(unchecked((seed * 1_000_003) + number));
    private readonly KeyHistory[] _keys = [.. Enumerable.Range(0, KeysPerWorker).Select(static _ => new KeyHistory())];
    private long _number;

    public long Operations { get; private set; }

    /// Null: none.
    public string? Problem { get; private set; }

    /// Records found by the last check that cannot expire, and all.
    public int FoundForEver { get; private set; }

    public int Found { get; private set; }

    /// Until the node is gone.
    public void Load()
    {
        try
        {
            using var client = Connect();
            while (Problem is null)
            {
                Step(client, _random.Next(KeysPerWorker));
                Operations++;
            }
        }
        catch (AerieException gone) when (gone.Kind is not FailureKind.Server)
        {
            // as planned: what was sent last is in doubt
        }
        catch (AerieException failure)
        {
            Problem = failure.Message;
        }
    }

    /// Every key against what it may be.
    public void Check(double safeBefore)
    {
        using var client = Connect();
        Found = FoundForEver = 0;
        for (var key = 0; key < KeysPerWorker && Problem is null; key++)
        {
            var value = client.Get(Reading, KeyOf(key))?[Bin].AsBytes();
            if (_keys[key].Found(value, Now, safeBefore) is { } wrong)
            {
                Problem = $"{KeyOf(key)}: {wrong}; safe before {safeBefore:0.000}";
            }

            Found += value is null ? 0 : 1;
            FoundForEver += value is null || _keys[key].MayExpire ? 0 : 1;
        }
    }

    private double Now => watch.Elapsed.TotalSeconds;

    private AerieClient Connect() => new(new ClientPolicy { SeedsOnly = true, ConnectTimeout = Patience }, host);

    private string SetOf(int key) => $"w{number}-{key % Sets}";

    private Key KeyOf(int key) => new(Namespace, SetOf(key), (long)key);

    private void Step(AerieClient client, int key)
    {
        switch (_random.Next(1000))
        {
            case < 700:
                Put(client, key);
                break;
            case < 998:
                Delete(client, key);
                break;
            default:
                Truncate(client, key % Sets);
                break;
        }
    }

    private void Put(AerieClient client, int key)
    {
        var length = _random.Next(10) == 0 ? _random.Next(SmallMax, LargeMax) : _random.Next(sizeof(long), SmallMax);
        var lifetime = _random.Next(8) == 0 ? _random.Next(1, 5) : 0;
        var state = _keys[key].Begin(++_number, length, Now, lifetime);
        var policy = lifetime == 0 ? Writing : Writing with { Ttl = (uint)lifetime };
        Write(key, state, () => client.Put(policy, KeyOf(key), new Bin(Bin, state.Value())));
    }

    private void Delete(AerieClient client, int key)
    {
        var isDurable = _random.Next(3) == 0;
        var state = _keys[key].Begin(++_number, 0, Now);
        Write(key, state, () => client.Delete(KeyOf(key), isDurable ? Writing with { DurableDelete = true } : Writing));
    }

    // Answered as soon as it is in force; a flush follows at once, but nobody waits for it.
    private void Truncate(AerieClient client, int set)
    {
        var states = new List<KeyState>();
        for (var key = set; key < KeysPerWorker; key += Sets)
        {
            states.Add(_keys[key].Begin(++_number, 0, Now));
        }

        client.Truncate(Namespace, $"w{number}-{set}");
        states.ForEach(state => state.AnsweredAt = Now);
    }

    private void Write(int key, KeyState state, Action write)
    {
        try
        {
            write();
            state.AnsweredAt = Now;
            state.IsSafe = commits;
        }
        catch (AerieException refused) when (refused.Code is ResultCode.OutOfSpace or ResultCode.DeviceOverload)
        {
            _keys[key].Refused();
        }
    }
}
