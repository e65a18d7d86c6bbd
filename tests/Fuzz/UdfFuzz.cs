using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Lua;
using Aerie.TestKit;

namespace Aerie.Fuzz;

/// Arguments and stored values that a function meets: the input is the arguments as they come from the wire, and the bins of the
/// record. The script looks at all of it, changes it, stores and returns it, and uses texts as patterns.
internal static class UdfFuzz
{
    private const string Script = """
        local function walk(v, depth)
          if type(v) == 'string' then
            pcall(string.find, 'the (quick) brown_fox 12', v)
            pcall(string.gsub, 'aXbX', v, '%1')
            return
          end
          if type(v) ~= 'userdata' or depth > 20 then return end
          local class, n = getmetatable(v), 0
          if class == List then
            for i = 1, #v do walk(v[i], depth + 1) end
            for e in list.iterator(v) do n = n + 1 end
            list.insert(v, 2, v[1])
            list.remove(v, 1)
            local part = list.take(v, 3)
            list.append(v, part and #part)
          elseif class == Map then
            for k, e in map.pairs(v) do walk(k, depth + 1); walk(e, depth + 1); if v[k] ~= nil then v[k] = e end end
            v.x = 1
            v[5] = nil
          elseif class == Bytes then
            local b = v[1]
            v[#v + 2] = b or 1
            bytes.get_int32(v, 2); bytes.get_var_int(v, 1); bytes.append_bytes(v, v, 3)
          end
          tostring(v)
        end

        function f(rec, ...)
          for i = 1, select('#', ...) do walk((select(i, ...)), 0) end
          pcall(function() walk(rec.l, 0); rec.l = rec.l end)
          pcall(function() walk(rec.m, 0); rec.m = rec.m end)
          pcall(function() walk(rec.g, 0) end)
          aerospike:update(rec)
          return ...
        end
        """;

    private static readonly Lazy<IUdfWorker> Worker = new(Start);

    public static void Run(ReadOnlySpan<byte> input)
    {
        var record = new UdfTestRecord().With("l"u8, ParticleType.List, input).With("m"u8, ParticleType.Map, input)
            .With("g"u8, ParticleType.GeoJson, input);
        var run = Worker.Value.Start(
            new UdfCall { Module = "fuzz"u8, Function = "f"u8, Arguments = input, DeadlineNanoseconds = long.MaxValue }, record);
        while (run.Progress == UdfProgress.Suspended)
        {
            run.Resume();
        }

        Invariant.Holds(run.Result is ResultCode.Ok or ResultCode.UdfExecution or ResultCode.Parameter);
        var isContainer = run.Value.Type is ParticleType.List or ParticleType.Map;
        Invariant.Holds(!isContainer || PackedReader.IsOneValue(run.Value.Bytes));
        run.Release();
    }

    private static IUdfWorker Start()
    {
        var engine = new LuaEngine(new UdfOptions { Clock = new FakeClock() });
        engine.Register("fuzz", Encoding.UTF8.GetBytes(Script));
        return engine.OpenWorker();
    }
}
