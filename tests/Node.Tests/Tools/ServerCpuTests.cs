using Aerie.Tools.Bench;
using Xunit;

namespace Aerie.Node.Tests.Tools;

public sealed class ServerCpuTests
{
    [Fact]
    public void A_thread_that_ends_takes_nothing_from_what_the_others_used()
    {
        using var started = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            for (var from = Environment.TickCount64; Environment.TickCount64 - from < 200;)
            {
                // uses the processor
            }

            started.Set();
            end.Wait();
        });
        thread.Start();
        started.Wait(TestContext.Current.CancellationToken);
        var before = ServerCpu.Of(Environment.ProcessId);
        end.Set();
        thread.Join();
        Assert.InRange((ServerCpu.Of(Environment.ProcessId) - before).Seconds, 0, double.MaxValue);
    }
}
