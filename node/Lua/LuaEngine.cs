using System.Globalization;
using System.Text;
using Aerie.Foundation;

namespace Aerie.Lua;

/// Users' functions on native Lua 5.4. Workers compile a module when it is first called; an engine with ten thousand modules that
/// nobody calls costs their texts.
public sealed class LuaEngine : IUdfEngine
{
    private readonly LuaRuntime _runtime;
    private readonly LuaModules _modules = new();
    private readonly Lock _gate = new();
    private readonly List<LuaWorker> _workers = [];
    private readonly List<FunctionCounters> _counters = [];

    public LuaEngine(UdfOptions options) => _runtime = new LuaRuntime(options);

    internal LuaRuntime Runtime => _runtime;

    internal LuaModules Modules => _modules;

    public UdfSyntaxError? Check(string module, ReadOnlySpan<byte> text)
    {
        using var state = new LuaState(_runtime, new LuaModules(_modules, module, text));
        state.BeginCall(_runtime.Clock.MonotonicNanoseconds + _runtime.Options.CheckNanoseconds);
        var progress = state.ResumeLoading(module);
        while (progress == ThreadProgress.Suspended)
        {
            progress = state.Resume(0);
        }

        return progress == ThreadProgress.Finished ? null : SyntaxError($"{module}.lua", ErrorText.OfFailedThread(state));
    }

    public void Register(string module, ReadOnlySpan<byte> text) => _modules.Put(module, text);

    public bool Remove(string module) => _modules.Remove(module);

    public void ClearCache() => _modules.Renew();

    public IUdfWorker OpenWorker()
    {
        var worker = new LuaWorker(this);
        lock (_gate)
        {
            _workers.Add(worker);
        }

        return worker;
    }

    public IReadOnlyList<UdfStatistics> Statistics()
    {
        lock (_gate)
        {
            return [.. _counters
                .Select(counters => counters.Read())
                .GroupBy(one => (one.Module, one.Function))
                .Select(of => new UdfStatistics(
                    of.Key.Module, of.Key.Function, of.Sum(one => one.Calls), of.Sum(one => one.Errors), of.Sum(one => one.Nanoseconds)))
                .OrderBy(one => one.Module, StringComparer.Ordinal)
                .ThenBy(one => one.Function, StringComparer.Ordinal)];
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            Invariant.Holds(_workers.Count == 0); // the code that their states call goes now
        }

        _runtime.Dispose();
    }

    internal FunctionCounters NewCounters(FunctionName name)
    {
        var counters = new FunctionCounters(name.ModuleText, name.FunctionText);
        lock (_gate)
        {
            _counters.Add(counters);
        }

        return counters;
    }

    internal void Forget(LuaWorker worker)
    {
        lock (_gate)
        {
            _workers.Remove(worker);
        }
    }

    // "file.lua:12: what is wrong"; errors without a place are of the file as a whole.
    private static UdfSyntaxError SyntaxError(string file, byte[] error)
    {
        var text = Encoding.UTF8.GetString(error);
        var place = text.IndexOf(".lua:", StringComparison.Ordinal) + ".lua".Length;
        var end = place >= ".lua".Length ? text.IndexOf(": ", place, StringComparison.Ordinal) : -1;
        var digits = end > 0 ? text.AsSpan(place + 1, end - place - 1) : default;
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var line)
            ? new UdfSyntaxError(text[..place], line, text[(end + 2)..])
            : new UdfSyntaxError(file, 0, text);
    }
}
