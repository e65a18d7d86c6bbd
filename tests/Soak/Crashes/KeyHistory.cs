using System.Buffers.Binary;

namespace Aerie.Soak.Crashes;

/// What became of one key, newest last, and what of it must survive a kill. Times are seconds on one clock of this program.
internal sealed class KeyHistory
{
    private List<KeyState> _states = [new KeyState { AnsweredAt = 0, IsSafe = true }];

    public KeyState Begin(long number, int length, double now, int lifetime = 0)
    {
        var state = new KeyState { Number = number, Length = length, SentAt = now, Lifetime = lifetime };
        _states.Add(state);
        return state;
    }

    /// The node has said that it did nothing.
    public void Refused() => _states.RemoveAt(_states.Count - 1);

    public bool IsGoneForSure(double now) => _states[^1].IsGone || _states[^1].MustBeGone(now);

    public bool MayExpire => _states[^1].Lifetime != 0;

    /// Null when this may be found. What was answered before `safeBefore`, or is safe by its answer, is the least.
    public string? Found(byte[]? value, double now, double safeBefore)
    {
        var first = _states.FindLastIndex(state => state.IsSafe || (state.AnsweredAt is { } answered && answered < safeBefore));
        for (var i = _states.Count - 1; i >= first; i--)
        {
            if (_states[i].Is(value, now))
            {
                var found = value is null ? new KeyState { Number = _states[i].Number } : _states[i];
                found.IsSafe = true;
                found.AnsweredAt ??= now;
                _states = [found];
                return null;
            }
        }

        var what = value is null ? "nothing" : $"#{BinaryPrimitives.ReadInt64LittleEndian(value)} of {value.Length} bytes";
        return $"found {what} but may be {string.Join(", ", _states.Skip(first))}; before: {string.Join(", ", _states.Take(first))}";
    }
}

/// One state of a key. Length 0: gone.
internal sealed class KeyState
{
    /// The node counts lifetimes in whole seconds of its own clock.
    private const double ClockSlack = 2;

    public long Number { get; init; }

    public int Length { get; init; }

    public double SentAt { get; init; }

    /// Null: no answer came, nobody knows whether it was done.
    public double? AnsweredAt { get; set; }

    /// The answer was a promise.
    public bool IsSafe { get; set; }

    /// Seconds; 0: for ever.
    public int Lifetime { get; init; }

    public bool IsGone => Length == 0;

    public bool MustBeGone(double now) => Lifetime != 0 && AnsweredAt is { } answered && now > answered + Lifetime + ClockSlack;

    public byte[] Value()
    {
        var value = new byte[Length];
        value.AsSpan().Fill((byte)(Number * 37));
        BinaryPrimitives.WriteInt64LittleEndian(value, Number);
        return value;
    }

    public bool Is(byte[]? value, double now)
    {
        if (value is null)
        {
            return IsGone || (Lifetime != 0 && now > SentAt + Lifetime - ClockSlack);
        }

        return !IsGone && !MustBeGone(now) && value.AsSpan().SequenceEqual(Value());
    }

    public override string ToString() =>
        $"#{Number} {(IsGone ? "gone" : $"of {Length} bytes")}{(AnsweredAt is { } at ? $" at {at:0.000}" : " unanswered")}";
}
