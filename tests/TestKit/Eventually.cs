using System.Diagnostics;

namespace Aerie.TestKit;

/// Waiting for what another process does: nothing tells us, so it is looked at again and again, with a deadline.
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// True as soon as the condition holds; false when it does not within the limit.
    public static bool Holds(Func<bool> condition, TimeSpan limit)
    {
        using var never = new ManualResetEventSlim();
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > limit)
            {
                return false;
            }

            never.Wait(Pause);
        }

        return true;
    }
}
