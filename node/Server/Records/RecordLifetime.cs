using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Config;

namespace Aerie.Server.Records;

/// How long a record lives: the rules that turn a client's TTL, the defaults of set and namespace, and what the record
/// had before into a void-time.
internal static class RecordLifetime
{
    public static ResultCode VoidTimeOfWrite(in LifetimeRequest request, NamespaceOptions options, SetOptions? set, out uint voidTime)
    {
        voidTime = CitrusTime.NeverExpires;
        var ttl = request.Ttl;
        if (ttl == Ttl.DoNotChange && request.Exists)
        {
            voidTime = request.CurrentVoidTime;
            return ResultCode.Ok;
        }

        if (ttl is Ttl.NamespaceDefault or Ttl.DoNotChange)
        {
            ttl = set?.DefaultTtlSeconds is { } ofSet and not 0 ? ofSet : options.DefaultTtlSeconds;
            if (ttl == 0)
            {
                return ResultCode.Ok;
            }
        }

        if (ttl == Ttl.Never)
        {
            return ResultCode.Ok;
        }

        if (ttl > CitrusTime.TtlSecondsMax)
        {
            return ResultCode.Parameter;
        }

        if (options.NsupPeriodSeconds == 0 && !options.AllowTtlWithoutNsup)
        {
            return ResultCode.Forbidden; // nothing would ever remove the record
        }

        voidTime = request.NowSeconds + ttl;
        if (!options.ApplyTtlReductions && request.Exists)
        {
            var current = request.CurrentVoidTime;
            voidTime = current == CitrusTime.NeverExpires ? current : Math.Max(voidTime, current);
        }

        return ResultCode.Ok;
    }

    /// A read may renew a record whose remaining life fell below a share of its original one. 0: no.
    public static uint VoidTimeOfReadTouch(
        uint asked, in LifetimeRequest request, ulong lastUpdateTime, NamespaceOptions options, SetOptions? set)
    {
        const uint AskedNot = 0xFFFF_FFFF;
        var percent = asked switch
        {
            AskedNot => 0,
            0 => set?.DefaultReadTouchTtlPct is { } ofSet and not 0 ? Math.Max(ofSet, 0) : options.DefaultReadTouchTtlPct,
            > 100 => 0,
            _ => (int)asked,
        };
        if (percent == 0 || request.CurrentVoidTime <= request.NowSeconds)
        {
            return 0;
        }

        var updated = (uint)(lastUpdateTime / 1000);
        var original = (long)request.CurrentVoidTime - updated;
        var remaining = (long)request.CurrentVoidTime - request.NowSeconds;
        return original > 0 && remaining * 100 < original * percent ? request.NowSeconds + (uint)original : 0;
    }
}

internal readonly record struct LifetimeRequest(uint Ttl, uint NowSeconds, bool Exists, uint CurrentVoidTime);
