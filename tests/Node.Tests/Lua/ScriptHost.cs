using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Lua;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Lua;

/// An engine with one worker and the module "demo" in it.
internal sealed class ScriptHost : IDisposable
{
    public const string Module = "demo";

    private readonly UdfOptions _options;

    public ScriptHost(string script, UdfOptions? options = null)
    {
        _options = options ?? new UdfOptions { Clock = new SystemClock() };
        Engine = new LuaEngine(_options);
        Worker = Engine.OpenWorker();
        Register(Module, script);
    }

    /// Bodies of functions that are called as f(rec, a, b).
    public static ScriptHost Of(string body, UdfOptions? options = null) => new($"function f(rec, a, b)\n{body}\nend", options);

    public LuaEngine Engine { get; }

    public IUdfWorker Worker { get; }

    public long TimeLimitNanoseconds { get; set; } = 10_000_000_000;

    /// How often the last call was suspended.
    public int Suspensions { get; private set; }

    public void Register(string module, string script)
    {
        var text = Encoding.UTF8.GetBytes(script);
        Engine.Register(module, text);
    }

    /// What the function returns; an error of the script is an exception.
    public object? Call(string function, UdfTestRecord record, params object?[] arguments)
    {
        var (result, value) = Try(function, record, arguments);
        return result == ResultCode.Ok ? value : throw new InvalidOperationException($"{result}: {value}");
    }

    public object? Call(params object?[] arguments) => Call("f", new UdfTestRecord(), arguments);

    /// The text of the error that the function ends with.
    public string Error(params object?[] arguments) => Error("f", new UdfTestRecord(), arguments);

    public string Error(string function, UdfTestRecord record, params object?[] arguments)
    {
        var (result, value) = Try(function, record, arguments);
        return result == ResultCode.UdfExecution ? (string)value! : throw new InvalidOperationException($"no error: {result} {value}");
    }

    public (ResultCode Result, object? Value) Try(string function, UdfTestRecord record, params object?[] arguments) =>
        TryIn(Module, function, record, arguments);

    public (ResultCode Result, object? Value) TryIn(string module, string function, UdfTestRecord record, params object?[] arguments)
    {
        var run = Worker.Start(CallOf(module, function, UdfValues.Packed(arguments.ToList())), record);
        Suspensions = 0;
        while (run.Progress == UdfProgress.Suspended)
        {
            Suspensions++;
            run.Resume();
        }

        var answer = (run.Result, UdfValues.OfBin(run.Value.Type, run.Value.Bytes));
        run.Release();
        return answer;
    }

    public UdfCall CallOf(string module, string function, byte[] arguments) => new()
    {
        Module = Encoding.UTF8.GetBytes(module),
        Function = Encoding.UTF8.GetBytes(function),
        Arguments = arguments,
        DeadlineNanoseconds = _options.Clock.MonotonicNanoseconds + TimeLimitNanoseconds,
    };

    public void Dispose()
    {
        Worker.Dispose();
        Engine.Dispose();
    }
}
