using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Faults;

/// An operator sets the wall clock forth and back. Records end when their date has come, not before and not twice, and
/// nothing that is measured by the monotonic clock notices.
public sealed class ClockTests : IDisposable
{
    private const long Hour = 3_600_000;

    private readonly NodeUnderTest _node = new();
    private readonly SimulatedPeer _client;

    public ClockTests() => _client = _node.Connect();

    private Namespace Records => _node.Node.Namespaces.All[0];

    public void Dispose()
    {
        _client.Close();
        _node.Settle();
        _node.Dispose();
    }

    [Fact]
    public void A_clock_set_back_takes_no_record_and_later_lives_count_from_the_new_time()
    {
        Assert.Equal(ResultCode.Ok, Put("old", ttl: 100).Result);
        Put("forever", Ttl.Never);
        _node.Clock.UnixMilliseconds -= Hour;
        Assert.Equal(ResultCode.Ok, Get("old"));
        Assert.Equal(ResultCode.Ok, Get("forever"));

        Assert.Equal(CitrusTime.Seconds(_node.Clock.UnixMilliseconds) + 10, Put("new", ttl: 10).Header.Ttl);
        Live(TimeSpan.FromSeconds(12));
        Assert.Equal(ResultCode.NotFound, Get("new"));
        Assert.Equal(ResultCode.Ok, Get("old"));
        Live(TimeSpan.FromHours(1.1));
        Assert.Equal(ResultCode.NotFound, Get("old"));
        Assert.Equal(ResultCode.Ok, Get("forever"));
        Assert.Equal(1, Records.Objects);
    }

    [Fact]
    public void A_clock_set_forth_ends_what_was_to_end_and_setting_it_back_revives_nothing_that_was_removed()
    {
        Put("mortal", ttl: 100);
        Put("forever", Ttl.Never);
        _node.Clock.UnixMilliseconds += Hour;
        Assert.Equal(ResultCode.NotFound, Get("mortal"));
        Assert.Equal(ResultCode.Ok, Get("forever"));
        Live(TimeSpan.FromSeconds(30));
        Assert.Equal(1, Records.Objects);

        _node.Clock.UnixMilliseconds -= Hour;
        Assert.Equal(ResultCode.NotFound, Get("mortal"));
        Assert.Equal(1u, Put("mortal", ttl: 100).Header.Generation);
        Live(TimeSpan.FromSeconds(30));
        Assert.Equal(ResultCode.Ok, Get("mortal"));
        Assert.Equal(2, Records.Objects);
    }

    [Fact]
    public void A_record_written_again_after_its_end_starts_anew_whatever_the_clock_does_then()
    {
        Put("k", ttl: 100);
        Put("k", ttl: 100);
        _node.Clock.UnixMilliseconds += Hour;
        Assert.Equal(1u, Put("k", ttl: 100).Header.Generation);
        _node.Clock.UnixMilliseconds -= Hour;
        Assert.Equal(2u, Put("k", ttl: 100).Header.Generation);
        Assert.Equal(1, Records.Objects);
    }

    [Fact]
    public void A_truncation_after_the_clock_was_set_back_cuts_all_that_was_there_and_nothing_that_comes_later()
    {
        Put("before", Ttl.Never);
        _node.Clock.UnixMilliseconds -= Hour;
        TruncateNow();
        Assert.Equal(ResultCode.NotFound, Get("before"));
        Put("after", Ttl.Never);
        Assert.Equal(ResultCode.Ok, Get("after"));

        Live(TimeSpan.FromSeconds(5));
        Assert.Equal(ResultCode.Ok, Get("after"));
        Assert.Equal(1, Records.Objects);
        _node.Clock.UnixMilliseconds += 2 * Hour;
        Assert.Equal(ResultCode.Ok, Get("after"));
    }

    // What the command does that names no time.
    private void TruncateNow()
    {
        var clock = _node.Node.LastUpdateClock;
        var now = clock.Advance(CitrusTime.Milliseconds(_node.Clock.UnixMilliseconds));
        Records.Truncate(null, clock.Advance(now + 1));
    }

    // Time passes, and the housekeeper does what it wants to do in it.
    private void Live(TimeSpan time)
    {
        var end = _node.Clock.MonotonicNanoseconds + (time.Ticks * 100);
        while (_node.Clock.MonotonicNanoseconds < end)
        {
            var rest = _node.Node.Housekeeper.Step(_node.Node.HousekeepingWorker);
            _node.Clock.Advance(TimeSpan.FromMilliseconds(Math.Max(1, rest)));
        }
    }

    private WireReply Put(string key, uint ttl) => WireReply.Read(_node.Ask(_client, WireRequest.Put(key, "a", "x").Ttl(ttl).Bytes()));

    private ResultCode Get(string key) => WireReply.Read(_node.Ask(_client, WireRequest.Get(key).Bytes())).Result;
}
