namespace Aerie.Tools.Bench;

/// Writes the next request of one thread: chooses the key and the kind.
internal sealed class RequestSource
{
    private readonly LoadPlan _plan;
    private readonly int _lastKey;
    private ulong _random;
    private int _nextKey;

    public RequestSource(LoadPlan plan, int thread)
    {
        _plan = plan;
        _random = unchecked((plan.Options.Seed * 1_000_003) + (ulong)thread);
        (_nextKey, _lastKey) = plan.KeysOf(thread);
    }

    /// Only an insert ends by itself.
    public bool IsExhausted => _plan.Options.Workload == Workload.Insert && KeysLeft == 0;

    /// Keys that an insert has still to send.
    public int KeysLeft => _plan.Options.Workload == Workload.Insert ? _lastKey - _nextKey : 0;

    /// The most that Write may need.
    public int LengthMax(LoadConnection connection) => _plan.Options.Workload switch
    {
        Workload.Read or Workload.Single => _plan.Templates.Read.Length,
        Workload.Batch => _plan.Templates.Batch!.Length,
        Workload.Scan => connection.Scan!.Length,
        _ => Math.Max(_plan.Templates.Write.Length, _plan.Templates.Read.Length),
    };

    /// Returns how much of the target is the request.
    public int Write(LoadConnection connection, Span<byte> target)
    {
        switch (_plan.Options.Workload)
        {
            case Workload.Insert:
                return Write(_plan.Templates.Write, target, _nextKey++);
            case Workload.Write:
                return Write(_plan.Templates.Write, target, AnyKey());
            case Workload.Mixed:
                return Write((Next() & 1) == 0 ? _plan.Templates.Read : _plan.Templates.Write, target, AnyKey());
            case Workload.Batch:
                return WriteBatch(_plan.Templates.Batch!, target);
            case Workload.Scan:
                connection.Scan!.CopyTo(target);
                return connection.Scan.Length;
            default:
                return Write(_plan.Templates.Read, target, AnyKey());
        }
    }

    private int Write(RequestTemplate template, Span<byte> target, int key)
    {
        template.CopyTo(target);
        template.Patch(target, 0, _plan.Keys[key]);
        return template.Length;
    }

    private int WriteBatch(RequestTemplate template, Span<byte> target)
    {
        template.CopyTo(target);
        for (var place = 0; place < template.Digests; place++)
        {
            template.Patch(target, place, _plan.Keys[AnyKey()]);
        }

        return template.Length;
    }

    private int AnyKey() => (int)Math.BigMul(Next(), (ulong)_plan.Keys.Keys, out _);

    // SplitMix64: a few additions and multiplications, and any seed is good.
    private ulong Next()
    {
        var x = _random += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
