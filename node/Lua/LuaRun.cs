using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Lua.Library;
using Aerie.Lua.Native;
using Aerie.Lua.Values;

namespace Aerie.Lua;

/// A call from beginning to end: state → arguments → the module, if the state is new → the function → its value or error.
internal sealed unsafe class LuaRun(LuaWorker worker) : UdfRun
{
    /// The largest answer; a record could not hold half of it.
    private const int ValueLengthMax = 16 * 1024 * 1024;

    private const int ArgumentsOnAnyStack = 12;

    private readonly GrowingBytes _value = new(ValueLengthMax);
    private FunctionEntry? _function;
    private PooledState? _pooled;
    private ParticleType _type;
    private int _arguments;
    private long _started;

    public override BinValue Value => new(_type, _value.Read(0, _value.Length));

    private LuaState State => _pooled!.State;

    public void Begin(in UdfCall call, IUdfRecord record)
    {
        _value.Clear();
        _type = ParticleType.Null;
        Result = ResultCode.Ok;
        Progress = UdfProgress.Finished;
        _function = worker.Entry(call);
        _started = _function.IsTimed ? worker.Runtime.Clock.MonotonicNanoseconds : 0;
        _pooled = worker.Take(_function.Pool);
        if (_pooled is null)
        {
            Fail(Encoding.UTF8.GetBytes($"module '{_function.Pool.Module}' not found"));
            return;
        }

        State.BeginCall(call.DeadlineNanoseconds);
        State.Bins.Begin(record);
        try
        {
            Result = TryPushArguments(call.Arguments) ? ResultCode.Ok : ResultCode.Parameter;
        }
        catch (ScriptException exception)
        {
            Fail(exception.Text);
        }

        if (Result != ResultCode.Ok)
        {
            Finish(keepsThread: true);
        }
        else if (_pooled.IsLoaded)
        {
            CallFunction();
        }
        else
        {
            Advance(State.ResumeLoading(_function.Pool.Module));
        }
    }

    public override UdfProgress Resume()
    {
        Invariant.Holds(Progress == UdfProgress.Suspended);
        Progress = UdfProgress.Finished;
        try
        {
            Advance(State.Resume(0));
        }
        catch
        {
            GiveUp();
            throw;
        }

        return Progress;
    }

    public override void Release()
    {
        GiveUp();
        _function = null;
        worker.Return(this);
    }

    private void Advance(ThreadProgress progress)
    {
        switch (progress)
        {
            case ThreadProgress.Suspended:
                Progress = UdfProgress.Suspended;
                return;
            case ThreadProgress.Failed:
                Fail(ErrorText.OfFailedThread(State));
                Finish(keepsThread: false);
                return;
            case ThreadProgress.Finished when _pooled!.IsLoaded:
                TakeValue();
                return;
            default:
                _pooled!.IsLoaded = true;
                State.ClearThread();
                CallFunction();
                return;
        }
    }

    private void CallFunction()
    {
        var thread = State.Thread;
        if (!HasStack(thread))
        {
            Fail(ErrorText.Of(Doom.Memory));
            Finish(keepsThread: true);
            return;
        }

        if (State.PushFunction(_function!) == LuaApi.TypeNil)
        {
            Fail("function not found"u8);
            Finish(keepsThread: true);
            return;
        }

        if (_function!.Counters is null)
        {
            worker.Know(_function);
        }

        State.PushRecord();
        LuaApi.Move(State.Main, thread, _arguments);
        Advance(State.Resume(_arguments + 1));
    }

    // The first value that the function returned. A record cannot be an answer: it stands for nothing, as what returns it only wants
    // to say that all went well.
    private void TakeValue()
    {
        var thread = State.Thread;
        if (LuaApi.Type(thread, LuaState.FirstResult) == LuaApi.TypeUserdata
            && Boxes.At(thread, LuaState.FirstResult)->Kind == BoxKind.Record)
        {
            Finish(keepsThread: true);
            return;
        }

        if (!Packing.IsStorable(thread, LuaState.FirstResult))
        {
            Fail(Encoding.UTF8.GetBytes($"unsupported return type: {ErrorText.TypeName(LuaApi.Type(thread, LuaState.FirstResult))}"));
            Finish(keepsThread: true);
            return;
        }

        try
        {
            _type = Packing.WriteBin(State, thread, LuaState.FirstResult, _value);
        }
        catch (ScriptException exception)
        {
            Fail(exception.Text);
        }

        if (_value.Overflowed)
        {
            Fail("the returned value is too large"u8);
        }

        Finish(keepsThread: true);
    }

    private void Fail(ReadOnlySpan<byte> text)
    {
        _value.Clear();
        _value.Append(text);
        _type = ParticleType.String;
        Result = ResultCode.UdfExecution;
    }

    private void Finish(bool keepsThread)
    {
        if (!keepsThread)
        {
            State.GiveUpThread();
        }

        State.EndCall();
        worker.Return(_pooled!);
        _pooled = null;
        var nanoseconds = _started == 0 ? 0 : worker.Runtime.Clock.MonotonicNanoseconds - _started;
        _function!.Counters?.Count(Result != ResultCode.Ok, nanoseconds);
    }

    private void GiveUp()
    {
        _pooled?.State.Dispose();
        _pooled = null;
        Progress = UdfProgress.Finished;
    }

    // Onto the main stack, where they wait. False: they are no packed list.
    private bool TryPushArguments(ReadOnlySpan<byte> packed)
    {
        _arguments = 0;
        if (packed.IsEmpty)
        {
            return true;
        }

        var reader = new PackedReader(packed);
        if (!reader.TryRead(out var head) || head.Kind != PackedKind.List)
        {
            return false;
        }

        _arguments = head.Count;
        if (!HasStack(State.Main))
        {
            throw ScriptException.OutOfMemory;
        }

        fixed (byte* bytes = packed)
        {
            return TryPushArguments(bytes, packed.Length, reader.Offset);
        }
    }

    // Lua promises some places on each stack; only many arguments have to ask for more.
    private bool HasStack(nint lua) => _arguments <= ArgumentsOnAnyStack || LuaApi.CheckStack(lua, _arguments + 4) != 0;

    // Lists and maps among them share one copy of all arguments, which lies at the bottom of the stack.
    private bool TryPushArguments(byte* packed, int length, int offset)
    {
        var main = State.Main;
        var hasCopy = false;
        var all = new ReadOnlySpan<byte>(packed, length);
        for (var pushed = 0; pushed < _arguments; pushed++)
        {
            if (offset >= length)
            {
                return false;
            }

            if (!hasCopy && all[offset] is (>= 0x80 and <= 0x9F) or (>= 0xDC and <= 0xDF))
            {
                var copy = NewValues.PushBuffer(State, main, length);
                all.CopyTo(new Span<byte>(copy, length));
                LuaApi.Rotate(main, 1, 1);
                packed = copy;
                hasCopy = true;
            }

            var next = Aerie.Lua.Values.PackedSkip.Next(all, offset);
            if (next < 0 || !NewValues.TryPushPacked(State, main, packed + offset, next - offset, 1))
            {
                return false;
            }

            offset = next;
        }

        return offset == length;
    }
}
