using System.Diagnostics;
using Aerie.DataModel;
using Aerie.Protocol;
using Aerie.TestKit;

namespace Aerie.Soak.Udfs;

/// A client that has nothing to do with functions: one get after the other, each answer checked and timed.
internal sealed class GetWorker(int port, int number, UdfTally tally)
{
    private const int Records = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly List<int> _microseconds = [];

    /// How long each get took. To be read when the run is over.
    public IReadOnlyList<int> Microseconds => _microseconds;

    public void Run(ManualResetEventSlim stop)
    {
        try
        {
            using var connection = new WireConnection(port);
            var keys = Enumerable.Range(0, Records).Select(i => $"get-{number}-{i}").ToArray();
            for (var i = 0; i < Records; i++)
            {
                connection.Send(WireRequest.Write(keys[i]).Op(OpCode.Write, "n", ParticleType.Integer, WireRequest.Integer(i)).Bytes());
                connection.ReadOne();
            }

            var gets = keys.Select(key => WireRequest.Get(key).Timeout(60_000).Bytes()).ToArray();
            for (var i = 0; !stop.Wait(Pause); i = (i + 1) % Records)
            {
                var watch = Stopwatch.StartNew();
                connection.Send(gets[i]);
                var reply = connection.ReadOne();
                _microseconds.Add((int)watch.Elapsed.TotalMicroseconds);
                if (reply.Result != Foundation.ResultCode.Ok || reply["n"].Number != i)
                {
                    tally.Problem($"get of {keys[i]}: {reply.Result}");
                }
            }
        }
        catch (Exception failure)
        {
            tally.Problem($"client of gets {number} ends: {failure.Message}");
        }
    }
}
