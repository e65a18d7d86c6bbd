using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Foundation;

namespace Aerie.Soak.Mixed;

/// Scans all the time: a set that nobody changes must come back whole, sets that everybody changes without a record twice.
internal sealed class ScanWorker(HostAddress host, MixedTally tally)
{
    public const string StableSet = "stable";
    public const int StableRecords = 5000;

    public int Scans { get; private set; }

    public static void Fill(AerieClient client, MixedTally tally)
    {
        for (var i = 0L; i < StableRecords; i++)
        {
            client.Put(MixedWorker.Writing, new Key(MixedWorker.Namespace, StableSet, i), new Bin("n", i));
            tally.NoteInserted(StableSet);
        }
    }

    public void Run(ManualResetEventSlim stop, TimeSpan pause)
    {
        try
        {
            using var client = new AerieClient(new ClientPolicy { SeedsOnly = true }, host);
            for (var turn = 0; !stop.Wait(pause); turn++)
            {
                Scan(client, turn % 3 == 0 ? StableSet : MixedWorker.SetOf(turn));
                Scans++;
            }
        }
        catch (Exception failure)
        {
            tally.Problem($"the scan ends: {failure.Message}");
        }
    }

    private void Scan(AerieClient client, string set)
    {
        var seen = new HashSet<Digest>();
        var sum = 0L;
        client.Query(new Statement(MixedWorker.Namespace, set), found =>
        {
            if (!seen.Add(found.Key.Digest))
            {
                tally.Problem($"scan of {set}: {found.Key} comes twice");
            }

            sum += set == StableSet ? found.Record["n"].AsLong() : 0;
            return true;
        });
        const long StableSum = StableRecords * (StableRecords - 1L) / 2;
        if (set == StableSet && (seen.Count != StableRecords || sum != StableSum))
        {
            tally.Problem($"scan of {set}: {seen.Count} records, not {StableRecords}");
        }
    }
}
