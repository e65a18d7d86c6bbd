namespace Aerie.Tools.Bench;

/// Writes the next request of one thread: chooses the request and the keys.
internal sealed class RequestSource
{
    private readonly LoadPlan _plan;
    private readonly RequestTemplate[] _requests;
    private readonly int _firstKey;
    private readonly int _keys;
    private readonly int _lengthMax;
    private readonly KeyOrder _order;
    private ulong _random;
    private long _sent;

    public RequestSource(LoadPlan plan, int thread)
    {
        _plan = plan;
        _requests = plan.Requests;
        _lengthMax = _requests.Select(request => request.Length).DefaultIfEmpty().Max();
        _order = plan.Options.Workload.Order;
        _random = unchecked((plan.Options.Seed * 1_000_003) + (ulong)thread);
        (_firstKey, var end) = plan.KeysOf(thread);
        _keys = end - _firstKey;
    }

    /// Only a workload that sends every key once ends by itself.
    public bool IsExhausted => _order == KeyOrder.Once && _sent == RequestsInAll;

    /// Keys that an insert has still to send; others may leave some.
    public long KeysLeft => _plan.Options.Workload.IsTimed ? 0 : RequestsInAll - _sent;

    private long RequestsInAll => _requests.Length * RequestsPerRound;

    /// For all keys once; what is left of them fills no request.
    private long RequestsPerRound => _keys / _requests[0].Digests;

    /// The most that Write may need.
    public int LengthMax(LoadConnection connection) => connection.Scan?.Length ?? _lengthMax;

    /// Returns how much of the target is the request.
    public int Write(LoadConnection connection, Span<byte> target)
    {
        var length = _order switch
        {
            KeyOrder.Once => WriteNext(target),
            KeyOrder.Steps => WriteSteps(target),
            _ => Write(connection.Scan ?? AnyRequest(), target, AnyKey()),
        };
        _sent++;
        return length;
    }

    private int WriteNext(Span<byte> target)
    {
        var (round, place) = Math.DivRem(_sent, RequestsPerRound);
        var request = _requests[round];
        return Write(request, target, _firstKey + (int)(place * request.Digests));
    }

    /// Keys from this one on; behind the last comes the first.
    private int Write(RequestTemplate request, Span<byte> target, int key)
    {
        request.CopyTo(target);
        for (var place = 0; place < request.Digests; place++)
        {
            request.Patch(target, place, _plan.Keys[key]);
            key = key + 1 < _plan.Keys.Keys ? key + 1 : 0;
        }

        return request.Length;
    }

    private int WriteSteps(Span<byte> target)
    {
        var steps = _requests.Length;
        var recordsPerRequest = _requests[0].Digests / steps;
        var distance = _plan.Options.StepDistance;
        var record = _sent * recordsPerRequest;
        var request = _requests[Math.Min(record / distance, steps - 1)];
        request.CopyTo(target);
        for (var place = 0; place < request.Digests; place++)
        {
            var (later, step) = Math.DivRem(place, steps);
            // A whole round more: before a record has its turn, the one that has it in the next round is created again.
            var key = (record + later - ((long)step * distance) + _keys) % _keys;
            request.Patch(target, place, _plan.Keys[_firstKey + (int)key]);
        }

        return request.Length;
    }

    private RequestTemplate AnyRequest() => _requests.Length == 1 ? _requests[0] : _requests[Below(_requests.Length)];

    private int AnyKey() => Below(_plan.Keys.Keys);

    private int Below(int end) => (int)Math.BigMul(Next(), (ulong)end, out _);

    // SplitMix64: a few additions and multiplications, and any seed is good.
    private ulong Next()
    {
        var x = _random += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
