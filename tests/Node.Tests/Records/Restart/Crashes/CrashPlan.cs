using Aerie.Node.Tests.Records.Flushing;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Records.Restart.Crashes;

/// What the storage of one run looks like. Small, so that blocks are used over and over.
internal sealed record CrashPlan
{
    private const string Second = "/data/second.dat";
    private const string Shadow = "/data/shadow.dat";
    private const string SecondShadow = "/data/second-shadow.dat";

    public bool Commits { get; private init; }

    public bool HasSecond { get; private init; }

    public bool HasShadow { get; private init; }

    public bool DisablesDataSync { get; private init; }

    public bool IsOnDevice { get; private init; }

    /// On devices only, with blocks enough for one old and one new checkpoint.
    public bool TakesCheckpoints { get; private init; }

    public int Blocks { get; private init; }

    public int FlushMaxMs { get; private init; }

    public string FlushSize { get; private init; } = "";

    public int LargeValues { get; private init; }

    public long Length => Blocks * 8L * 1024 * 1024;

    public static CrashPlan Of(Random random)
    {
        var hasSecond = random.Next(4) == 0;
        return new CrashPlan
        {
            Commits = random.Next(2) == 0,
            HasSecond = hasSecond,
            HasShadow = random.Next(5) == 0,
            DisablesDataSync = random.Next(3) != 0,
            IsOnDevice = random.Next(4) == 0,
            Blocks = hasSecond ? random.Next(5, 7) : random.Next(7, 11),
            FlushMaxMs = random.Next(3) * 200,
            FlushSize = random.Next(2) == 0 ? "64K" : "8M",
            LargeValues = random.Next(5, 25),
        };
    }

    public CrashPlan WithCheckpoints(Random random) => this with
    {
        IsOnDevice = true,
        TakesCheckpoints = true,
        Blocks = Blocks + random.Next(3, 7),
        LargeValues = LargeValues * 2,
    };

    /// Device and shadow lose different writes in a crash only when nothing syncs each.
    public CrashPlan WithShadow() => this with { HasShadow = true, DisablesDataSync = true };

    public DeviceNode Start(SimulatedDisk disk, long unixMilliseconds, bool ignoresCheckpoint = false) => new(
        disk,
        (HasSecond ? $"file {Second} {(HasShadow ? SecondShadow : "")}\n" : "") + (IsOnDevice ? "post-write-cache 0\n" : "")
            + $"commit-to-device {(Commits ? "true" : "false")}\nflush-max-ms {FlushMaxMs}\nflush-size {FlushSize}\n"
            + "stop-writes-used-pct 0\nstop-writes-avail-pct 0",
        IsOnDevice ? "device" : "memory",
        $"{Blocks * 8}M",
        shadow: HasShadow ? Shadow : "",
        disablesDataSync: DisablesDataSync,
        unixMilliseconds: unixMilliseconds,
        ignoresCheckpoint: ignoresCheckpoint);

    public IEnumerable<string> Paths()
    {
        yield return DeviceNode.Path;
        if (HasSecond)
        {
            yield return Second;
        }

        if (HasShadow)
        {
            yield return Shadow;
            if (HasSecond)
            {
                yield return SecondShadow;
            }
        }
    }
}
