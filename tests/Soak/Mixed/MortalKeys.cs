using System.Diagnostics;
using Aerie.Client;

namespace Aerie.Soak.Mixed;

/// Records that expire. Each key is written once, may be touched or deleted, and is looked at before and after its time.
/// Dates have whole seconds and clocks of client and node are one, so within this tolerance either answer is right.
internal sealed class MortalKeys(AerieClient client, int worker, Random random, MixedTally tally)
{
    public const string Set = "mortal";
    public const uint TtlMax = 6;

    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2.1);

    private readonly Queue<Mortal> _watched = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private int _next;

    public void Create(string ns)
    {
        var key = new Key(ns, Set, $"{worker}-{_next++}");
        var ttl = (uint)random.Next(1, (int)TtlMax + 1);
        var before = _watch.Elapsed;
        client.Put(MixedWorker.Writing with { Ttl = ttl, Exists = ExistsAction.CreateOnly }, key, new Bin("ttl", (long)ttl));
        tally.NoteInserted(Set);
        if (random.Next(4) == 0)
        {
            // Life is counted anew. Unless the node was so slow that the record is gone already.
            before = _watch.Elapsed;
            ttl += 3;
            if (!client.Touch(key, MixedWorker.Writing with { Ttl = ttl }))
            {
                return;
            }
        }
        else if (random.Next(4) == 0)
        {
            if (client.Delete(key, MixedWorker.Writing))
            {
                tally.NoteDeleted(Set);
            }

            return;
        }

        _watched.Enqueue(new Mortal(key, before + TimeSpan.FromSeconds(ttl), _watch.Elapsed + TimeSpan.FromSeconds(ttl)));
    }

    public void Look()
    {
        if (!_watched.TryDequeue(out var mortal))
        {
            return;
        }

        var asked = _watch.Elapsed;
        var found = client.Get(MixedWorker.Reading, mortal.Key) is not null;
        var answered = _watch.Elapsed;
        if (found && asked > mortal.DiesAtLatest + Tolerance)
        {
            tally.Problem($"{mortal.Key} lives {(asked - mortal.DiesAtLatest).TotalSeconds:0.0} s too long");
        }
        else if (!found && answered < mortal.DiesAtEarliest - Tolerance)
        {
            tally.Problem($"{mortal.Key} is gone {(mortal.DiesAtEarliest - answered).TotalSeconds:0.0} s too early");
        }
        else if (found)
        {
            _watched.Enqueue(mortal);
        }
    }

    private readonly record struct Mortal(Key Key, TimeSpan DiesAtEarliest, TimeSpan DiesAtLatest);
}
