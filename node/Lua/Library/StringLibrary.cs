using System.Buffers;
using System.Text;
using Aerie.DataModel.Packed;
using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua.Library;

/// The searching half of `string`, over LuaPattern. A search that takes long stops between two places of the subject and answers
/// `false` and where to go on: the prelude's loop calls again, so that the script can be suspended or ended there.
internal static unsafe class StringLibrary
{
    /// After so many steps a search pauses: a fraction of a millisecond.
    private const long StepsPerCall = 50_000;

    /// At one place of the subject a match may take this many, some ten milliseconds; then the pattern is refused.
    private const long StepsPerPlace = 2_000_000;

    private const int StepsPerInstruction = 2;

    private static readonly SearchValues<byte> Specials = SearchValues.Create("^$*+?.([%-"u8);

    public static Callback[] Callbacks { get; } =
    [
        new(Library.Callbacks.Native, "find", &Find),
        new(Library.Callbacks.Native, "match", &Match),
        new(Library.Callbacks.Native, "scan", &Scan),
        new(Library.Callbacks.Native, "start", &Start),
        new(Library.Callbacks.Native, "gsub", &Replace),
    ];

    /// find(s, pattern, init, plain)
    private static int Find(LuaState state, nint lua)
    {
        if (!TrySearch(state, lua, "find", out var subject, out var pattern, out var at, out var failed))
        {
            return failed;
        }

        if (LuaApi.ToBoolean(lua, 4) != 0 || !pattern.ContainsAny(Specials))
        {
            return FindPlain(state, lua, subject, pattern, at);
        }

        var matcher = new LuaPattern(subject, pattern, StepsPerPlace);
        var found = Search(state, lua, ref matcher, subject, pattern, at, -1, true);
        if (!found.IsMatch)
        {
            return found.Results;
        }

        LuaApi.PushInteger(lua, found.Start + 1);
        LuaApi.PushInteger(lua, found.End);
        return 2 + PushCaptures(state, lua, matcher, subject, found, orWhole: false);
    }

    /// match(s, pattern, init)
    private static int Match(LuaState state, nint lua)
    {
        if (!TrySearch(state, lua, "match", out var subject, out var pattern, out var at, out var failed))
        {
            return failed;
        }

        var matcher = new LuaPattern(subject, pattern, StepsPerPlace);
        var found = Search(state, lua, ref matcher, subject, pattern, at, -1, true);
        return found.IsMatch
            ? PushCaptures(state, lua, matcher, subject, found, orWhole: true)
            : found.Results;
    }

    /// scan(s, pattern, at, last, anchors): the next match that does not end at `last`: its start, where it stops, and
    /// its captures. Without `anchors` a '^' is a character like others.
    private static int Scan(LuaState state, nint lua)
    {
        if (!TrySearch(state, lua, "gmatch", out var subject, out var pattern, out var at, out var failed))
        {
            return failed;
        }

        var last = LuaApi.Type(lua, 4) == LuaApi.TypeNumber ? (int)LuaApi.ToInteger(lua, 4, null) - 1 : -1;
        var matcher = new LuaPattern(subject, pattern, StepsPerPlace);
        var found = Search(state, lua, ref matcher, subject, pattern, at, last, LuaApi.ToBoolean(lua, 5) != 0);
        if (!found.IsMatch)
        {
            return found.Results;
        }

        LuaApi.PushInteger(lua, found.Start + 1);
        LuaApi.PushInteger(lua, found.End + 1);
        return 2 + PushCaptures(state, lua, matcher, subject, found, orWhole: true);
    }

    /// start(s, pattern, init): checks both, and answers where a walk begins.
    private static int Start(LuaState state, nint lua) =>
        TrySearch(state, lua, "gmatch", out var subject, out _, out var at, out var failed)
            ? Arguments.Integer(lua, at + 1)
            : LuaApi.Top(lua) >= 1 && failed >= 0 ? Arguments.Integer(lua, subject.Length + 2) : failed;

    /// gsub(s, pattern, text, most)
    private static int Replace(LuaState state, nint lua)
    {
        LuaApi.SetTop(lua, 4);
        if (!LuaStack.TryText(lua, 3, out var by))
        {
            return Arguments.Bad(state, lua, 3, "gsub", "string/function/table");
        }

        if (!LuaStack.TryInteger(lua, 4, long.MaxValue, out var most))
        {
            return Arguments.BadInteger(state, lua, 4, "gsub");
        }

        LuaApi.SetTop(lua, 3);
        if (!TrySearch(state, lua, "gsub", out var subject, out var pattern, out _, out var failed, hasInit: false))
        {
            return failed;
        }

        var target = state.Scratch;
        target.Clear();
        var count = ReplaceAll(subject, pattern, by, most, target, out var steps, out var problem);
        state.Charge(steps / StepsPerInstruction);
        if (problem is not null)
        {
            return state.Fail(lua, Encoding.UTF8.GetBytes(problem));
        }

        if (target.Overflowed)
        {
            throw ScriptException.OutOfMemory;
        }

        NewValues.NeedsRoom(state, lua, target.Length);
        LuaState.PushText(lua, target.Read(0, target.Length));
        LuaApi.PushInteger(lua, count);
        return 2;
    }

    private static long ReplaceAll(
        ReadOnlySpan<byte> subject,
        ReadOnlySpan<byte> pattern,
        ReadOnlySpan<byte> by,
        long most,
        GrowingBytes target,
        out long steps,
        out string? problem)
    {
        var isAnchored = pattern.Length > 0 && pattern[0] == '^';
        var matcher = new LuaPattern(subject, pattern, StepsPerPlace + (16L * subject.Length));
        var (at, last, count) = (0, -1, 0L);
        problem = null;
        while (count < most && problem is null && !target.Overflowed)
        {
            var end = matcher.Match(at, isAnchored ? 1 : 0);
            problem = matcher.Problem;
            if (end >= 0 && end != last)
            {
                count++;
                problem ??= Expand(matcher, subject, subject[at..end], by, target);
                at = last = end;
            }
            else if (at < subject.Length)
            {
                target.Append(subject[at++]);
            }
            else
            {
                break;
            }

            if (isAnchored)
            {
                break;
            }
        }

        target.Append(subject[at..]);
        steps = matcher.Steps;
        return count;
    }

    // %0 is the whole match, %1 to %9 the captures; what is wrong with the text, or null.
    private static string? Expand(
        in LuaPattern matcher, ReadOnlySpan<byte> subject, ReadOnlySpan<byte> whole, ReadOnlySpan<byte> by, GrowingBytes target)
    {
        for (var i = by.IndexOf((byte)'%'); i >= 0; i = by.IndexOf((byte)'%'))
        {
            target.Append(by[..i]);
            var sign = i + 1 < by.Length ? by[i + 1] : (byte)0;
            by = by[Math.Min(i + 2, by.Length)..];
            switch (sign)
            {
                case (byte)'%':
                    target.Append(sign);
                    break;
                case (byte)'0':
                    target.Append(whole);
                    break;
                case (byte)'1' when matcher.CaptureCount == 0:
                    target.Append(whole);
                    break;
                case >= (byte)'1' and <= (byte)'9' when sign - '1' < matcher.CaptureCount:
                    AppendCapture(matcher, sign - '1', subject, target);
                    break;
                case >= (byte)'1' and <= (byte)'9':
                    return $"invalid capture index %{(char)sign} in replacement string";
                default:
                    return "invalid use of '%' in replacement string";
            }
        }

        target.Append(by);
        return null;
    }

    private static void AppendCapture(in LuaPattern matcher, int capture, ReadOnlySpan<byte> subject, GrowingBytes target)
    {
        if (matcher.Length(capture) >= 0)
        {
            target.Append(subject.Slice(matcher.Start(capture), matcher.Length(capture)));
            return;
        }

        var room = target.Reserve(16);
        (matcher.Start(capture) + 1).TryFormat(room, out var length);
        target.Commit(length);
    }

    // The worst a search can cost at each place is the length of what is looked for.
    private static int FindPlain(LuaState state, nint lua, ReadOnlySpan<byte> subject, ReadOnlySpan<byte> text, int at)
    {
        var places = (int)Math.Max(1, StepsPerCall * 16 / Math.Max(text.Length, 1));
        var stop = (int)Math.Min(subject.Length, (long)at + places + text.Length - 1);
        var found = stop - at >= text.Length ? subject[at..stop].IndexOf(text) : -1;
        state.Charge((stop - at) / 64);
        if (found >= 0)
        {
            LuaApi.PushInteger(lua, at + found + 1);
            LuaApi.PushInteger(lua, at + found + text.Length);
            return 2;
        }

        return stop < subject.Length ? Pause(state, lua, at + places) : Arguments.Nil(lua);
    }

    private static Found Search(
        LuaState state,
        nint lua,
        ref LuaPattern matcher,
        ReadOnlySpan<byte> subject,
        ReadOnlySpan<byte> pattern,
        int at,
        int last,
        bool anchors)
    {
        var isAnchored = anchors && pattern.Length > 0 && pattern[0] == '^';
        for (; at <= subject.Length; at++)
        {
            var end = matcher.Match(at, isAnchored ? 1 : 0);
            if (matcher.Problem is not null)
            {
                state.Charge(matcher.Steps / StepsPerInstruction);
                return new Found(state.Fail(lua, Encoding.UTF8.GetBytes(matcher.Problem)));
            }

            if (end >= 0 && end != last)
            {
                state.Charge(matcher.Steps / StepsPerInstruction);
                return new Found(at, end);
            }

            if (isAnchored)
            {
                break;
            }

            if (matcher.Steps > StepsPerCall && at < subject.Length)
            {
                state.Charge(matcher.Steps / StepsPerInstruction);
                return new Found(Pause(state, lua, at + 1));
            }
        }

        state.Charge(matcher.Steps / StepsPerInstruction);
        return new Found(Arguments.Nil(lua));
    }

    private static int Pause(LuaState state, nint lua, int at)
    {
        state.Charge(LuaRuntime.TickInterval);
        LuaApi.PushBoolean(lua, 0);
        LuaApi.PushInteger(lua, at + 1);
        return 2;
    }

    private static int PushCaptures(
        LuaState state, nint lua, in LuaPattern matcher, ReadOnlySpan<byte> subject, Found found, bool orWhole)
    {
        if (matcher.CaptureCount == 0)
        {
            if (!orWhole)
            {
                return 0;
            }

            var whole = subject[found.Start..found.End];
            NewValues.NeedsRoom(state, lua, whole.Length);
            LuaState.PushText(lua, whole);
            return 1;
        }

        LuaApi.CheckStack(lua, LuaPattern.CapturesMax);
        for (var i = 0; i < matcher.CaptureCount; i++)
        {
            if (matcher.Length(i) < 0)
            {
                LuaApi.PushInteger(lua, matcher.Start(i) + 1);
                continue;
            }

            var text = subject.Slice(matcher.Start(i), matcher.Length(i));
            NewValues.NeedsRoom(state, lua, text.Length);
            LuaState.PushText(lua, text);
        }

        return matcher.CaptureCount;
    }

    // Subject, pattern and the place to begin, from 0 on. Behind the end of the subject nothing is found.
    private static bool TrySearch(
        LuaState state,
        nint lua,
        string function,
        out ReadOnlySpan<byte> subject,
        out ReadOnlySpan<byte> pattern,
        out int at,
        out int failed,
        bool hasInit = true)
    {
        pattern = default;
        (at, failed) = (0, 0);
        if (!LuaStack.TryText(lua, 1, out subject))
        {
            failed = Arguments.Bad(state, lua, 1, function, "string");
            return false;
        }

        if (!LuaStack.TryText(lua, 2, out pattern))
        {
            failed = Arguments.Bad(state, lua, 2, function, "string");
            return false;
        }

        long init = 1;
        if (hasInit && !LuaStack.TryInteger(lua, 3, 1, out init))
        {
            failed = Arguments.BadInteger(state, lua, 3, function);
            return false;
        }

        init = init < 0 ? Math.Max(subject.Length + init + 1, 1) : Math.Max(init, 1);
        if (init > subject.Length + 1)
        {
            failed = Arguments.Nil(lua);
            return false;
        }

        at = (int)init - 1;
        return true;
    }

    /// A match; or what the callback answers instead.
    private readonly struct Found
    {
        public Found(int results) => Results = results;

        public Found(int start, int end)
        {
            IsMatch = true;
            Start = start;
            End = end;
        }

        public bool IsMatch { get; }

        public int Results { get; }

        public int Start { get; }

        public int End { get; }
    }
}
