using System.Globalization;
using Xunit;

namespace Aerie.Node.Tests.Records.Restart.Crashes;

public sealed class CrashTests
{
    private const int UsualSeeds = 100;
    private const int UsualSeedsOfAKind = 20;
    private const int FailuresMax = 5;

    /// The same with checkpoints taken at any moment. Each start that relies on one is held against a scan.
    [Fact]
    public void Whatever_happens_a_start_from_a_checkpoint_finds_what_a_scan_finds()
    {
        Assert.True(Run(CrashKind.WithCheckpoints) > 0 || Number("AERIE_CRASH_SEED", 0) != 0, "no start has used a checkpoint");
    }

    /// AERIE_CRASH_SEEDS says how many, AERIE_CRASH_SEED where to begin.
    [Fact]
    public void Whatever_happens_at_a_crash_what_was_safe_is_there_and_what_was_removed_is_not() => Run(CrashKind.Any);

    [Fact]
    public void A_shadow_stands_in_for_its_device_after_any_crash() => Run(CrashKind.WithShadow);

    private static int Run(CrashKind kind)
    {
        var loads = 0;
        var first = Number("AERIE_CRASH_SEED", 1);
        var usual = kind == CrashKind.Any ? UsualSeeds : UsualSeedsOfAKind;
        var count = Number("AERIE_CRASH_SEEDS", Environment.GetEnvironmentVariable("AERIE_CRASH_SEED") is null ? usual : 1);
        var failures = new List<string>();
        for (var seed = first; seed < first + count && failures.Count < FailuresMax; seed++)
        {
            var run = new CrashRun(seed, kind);
            try
            {
                run.Run();
                loads += run.Loads;
            }
            catch (Exception failure)
            {
                var story = count == 1 ? run.Story : "";
                failures.Add($"seed {seed} ({run.Plan}): {failure}\n{story}again: AERIE_CRASH_SEED={seed} make test FILTER=CrashTests");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        return loads;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;
}
