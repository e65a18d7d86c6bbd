using System.Buffers.Binary;

namespace Aerie.Node.Tests.Records.Restart.Crashes;

/// What may be found of each key after a crash: the newest state that was surely safe, or any later one. States are numbered
/// in the order in which they came about, and "safe up to a number" moves only forward.
internal sealed class CrashModel
{
    private readonly List<State>[] _states;
    private readonly long[] _safeKeys;
    private long _safe;

    public CrashModel(int keys)
    {
        _safeKeys = new long[keys];
        _states = [.. Enumerable.Range(0, keys).Select(_ => new List<State> { State.Gone(0) })];
    }

    public int Keys => _states.Length;

    /// Number of the last state.
    public long Last { get; private set; }

    public State Put(int key, int length, uint voidTime) => Put(key, length, voidTime, voidTime);

    public State Put(int key, int length, uint voidTime, uint voidTimeMax)
    {
        Last++;
        var state = new State(Last, length, voidTime, voidTimeMax);
        _states[key].Add(state);
        return state;
    }

    public void Delete(int key) => _states[key].Add(State.Gone(++Last));

    /// The last state of this key is safe.
    public void IsSafe(int key) => _safeKeys[key] = Last;

    /// All states up to this number are.
    public void AreSafe(long upTo) => _safe = Math.Max(_safe, upTo);

    public State Latest(int key) => _states[key][^1];

    /// Null when that may be found after a crash. From then on it is the only truth about the key.
    public string? Found(int key, byte[]? value, uint nowSeconds)
    {
        var states = _states[key];
        var safe = Math.Max(_safe, _safeKeys[key]);
        var first = states.FindLastIndex(state => state.Number <= safe);
        for (var i = states.Count - 1; i >= Math.Max(0, first); i--)
        {
            if (states[i].Is(value, nowSeconds))
            {
                _states[key] = [value is null ? State.Gone(states[i].Number) : states[i]];
                return null;
            }
        }

        var may = string.Join(", ", states.Skip(first).Select(state => state.ToString()));
        return $"key {key}: found {State.Describe(value)}, may be {may}; before: {string.Join(", ", states.Take(first))}";
    }

    /// Whatever was found at a restart is on the devices.
    public void Restarted() => _safe = Last;
}

/// One state of one key. The value repeats its number, so that every value is told from every other. A write that was not answered
/// for sure began its time to live at some moment until then; any other has one void-time.
internal readonly record struct State(long Number, int Length, uint VoidTime, uint VoidTimeMax)
{
    public const uint Forever = 0;

    public bool IsGone => Length == 0;

    public static State Gone(long number) => new(number, 0, Forever, Forever);

    public bool IsSurelyGoneAt(uint nowSeconds) => IsGone || (VoidTime != Forever && VoidTimeMax < nowSeconds);

    public bool MayBeGoneAt(uint nowSeconds) => IsGone || (VoidTime != Forever && VoidTime < nowSeconds);

    public byte[] Value()
    {
        var value = new byte[Length];
        value.AsSpan().Fill((byte)(Number * 37));
        BinaryPrimitives.WriteInt64LittleEndian(value, Number);
        return value;
    }

    public bool Is(byte[]? value, uint nowSeconds) =>
        value is null ? MayBeGoneAt(nowSeconds) : !IsSurelyGoneAt(nowSeconds) && value.AsSpan().SequenceEqual(Value());

    public static string Describe(byte[]? value) =>
        value is null ? "nothing" : $"#{BinaryPrimitives.ReadInt64LittleEndian(value)} of {value.Length} bytes";

    public override string ToString() =>
        IsGone ? $"#{Number} gone" : $"#{Number} of {Length} bytes{Describe(VoidTime, VoidTimeMax)}";

    private static string Describe(uint voidTime, uint voidTimeMax) =>
        voidTime == Forever ? "" : voidTime == voidTimeMax ? $" until {voidTime}" : $" until {voidTime} to {voidTimeMax}";
}
