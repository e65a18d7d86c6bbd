using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Config;
using Aerie.Server.Records;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class RecordLifetimeTests : IDisposable
{
    private const uint Now = 1_000_000;
    private const uint Never = CitrusTime.NeverExpires;

    private readonly NodeUnderTest _node = new();

    private NamespaceOptions Options => _node.Node.Namespaces.All[0].Options;

    public void Dispose() => _node.Dispose();

    /// Asked, default of the namespace, default of the set, void-time so far (0: never; -1: no record) → result, void-time.
    public static TheoryData<uint, uint, uint, long, ResultCode, uint> Writes => new()
    {
        { 0, 0, 0, -1, ResultCode.Ok, Never },
        { 0, 100, 0, -1, ResultCode.Ok, Now + 100 },
        { 0, 100, 7, -1, ResultCode.Ok, Now + 7 },
        { 0, 100, Ttl.Never, -1, ResultCode.Ok, Never },
        { 0, 100, 0, Now + 5, ResultCode.Ok, Now + 100 },
        { 50, 100, 7, -1, ResultCode.Ok, Now + 50 },
        { 50, 0, 0, Now + 500, ResultCode.Ok, Now + 50 },
        { Ttl.Never, 100, 7, Now + 5, ResultCode.Ok, Never },
        { Ttl.DoNotChange, 100, 0, Now + 5, ResultCode.Ok, Now + 5 },
        { Ttl.DoNotChange, 100, 0, Never, ResultCode.Ok, Never },
        { Ttl.DoNotChange, 100, 0, -1, ResultCode.Ok, Now + 100 },
        { CitrusTime.TtlSecondsMax, 0, 0, -1, ResultCode.Ok, Now + CitrusTime.TtlSecondsMax },
        { CitrusTime.TtlSecondsMax + 1, 0, 0, -1, ResultCode.Parameter, Never },
        { 0xFFFF_FFFD, 0, 0, -1, ResultCode.Parameter, Never },
    };

    [Theory, MemberData(nameof(Writes)), Evidence("TTL-01"), Evidence("TTL-02")]
    public void A_write_gives_a_life(uint asked, uint ofNamespace, uint ofSet, long before, ResultCode result, uint voidTime)
    {
        var request = new LifetimeRequest(asked, Now, before >= 0, (uint)Math.Max(before, 0));
        var options = Options with { DefaultTtlSeconds = ofNamespace };
        Assert.Equal(result, RecordLifetime.VoidTimeOfWrite(request, options, Set(ofSet, 0), out var actual));
        Assert.Equal(voidTime, actual);
    }

    [Theory, Evidence("TTL-03")]
    [InlineData(10u, false, ResultCode.Forbidden)]
    [InlineData(10u, true, ResultCode.Ok)]
    [InlineData(Ttl.Never, false, ResultCode.Ok)]
    [InlineData(0u, false, ResultCode.Ok)]
    public void Without_the_sweep_a_life_is_refused_unless_allowed(uint asked, bool isAllowed, ResultCode result)
    {
        var options = Options with { NsupPeriodSeconds = 0, AllowTtlWithoutNsup = isAllowed };
        Assert.Equal(result, RecordLifetime.VoidTimeOfWrite(new LifetimeRequest(asked, Now, false, 0), options, null, out _));
    }

    [Theory, Evidence("TTL-07")]
    [InlineData(50u, Now + 500, Now + 500)]
    [InlineData(50u, Never, Never)]
    [InlineData(600u, Now + 500, Now + 600)]
    public void Without_reductions_a_write_does_not_shorten_a_life(uint asked, uint before, uint after)
    {
        var options = Options with { ApplyTtlReductions = false };
        RecordLifetime.VoidTimeOfWrite(new LifetimeRequest(asked, Now, true, before), options, null, out var voidTime);
        Assert.Equal(after, voidTime);
    }

    /// Percent asked, of the namespace, of the set, seconds left of 100 → void-time, 0: untouched.
    [Theory, Evidence("TTL-05")]
    [InlineData(80u, 0, 0, 79, Now + 100)]
    [InlineData(80u, 0, 0, 80, 0)]
    [InlineData(100u, 0, 0, 99, Now + 100)]
    [InlineData(101u, 0, 0, 1, 0)]
    [InlineData(0u, 50, 0, 49, Now + 100)]
    [InlineData(0u, 50, 20, 49, 0)]
    [InlineData(0u, 50, 20, 19, Now + 100)]
    [InlineData(0u, 50, -1, 1, 0)]
    [InlineData(0xFFFF_FFFFu, 50, 50, 1, 0)]
    [InlineData(80u, 0, 0, 0, 0)]
    public void A_read_renews_what_has_little_of_its_life_left(uint asked, int ofNamespace, int ofSet, int left, uint voidTime)
    {
        var options = Options with { DefaultReadTouchTtlPct = ofNamespace };
        var request = new LifetimeRequest(asked, Now, true, (uint)(Now + left));
        var written = (ulong)(Now + left - 100) * 1000;
        Assert.Equal(voidTime, RecordLifetime.VoidTimeOfReadTouch(asked, request, written, options, Set(0, ofSet)));
    }

    private static SetOptions Set(uint ttl, int touchPct) => new()
    {
        DefaultTtlSeconds = ttl,
        DefaultReadTouchTtlPct = touchPct,
        DisableEviction = false,
        StopWritesCount = 0,
        StopWritesSize = 0,
    };
}
