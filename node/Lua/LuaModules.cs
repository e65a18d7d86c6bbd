using System.Collections.Concurrent;

namespace Aerie.Lua;

/// The registered texts of an engine, by name, and which version is the newest. Written by whoever registers, read by all workers.
internal sealed class LuaModules
{
    private readonly LuaModules? _others;
    private readonly ConcurrentDictionary<string, ModuleText> _texts = new(StringComparer.Ordinal);
    private long _generation;

    public LuaModules()
    {
    }

    /// The registered modules with one in front of them that is not registered.
    public LuaModules(LuaModules others, string name, ReadOnlySpan<byte> text)
    {
        _others = others;
        Put(name, text);
    }

    /// Changes with every change of any module.
    public long Generation => Volatile.Read(ref _generation);

    public ModuleText? Find(string name) => _texts.GetValueOrDefault(name) ?? _others?.Find(name);

    public void Put(string name, ReadOnlySpan<byte> text)
    {
        _texts[name] = new ModuleText(name, text.ToArray());
        Interlocked.Increment(ref _generation);
    }

    public bool Remove(string name)
    {
        var removed = _texts.TryRemove(name, out _);
        Interlocked.Increment(ref _generation);
        return removed;
    }

    /// Makes every state that was built of these texts out of date.
    public void Renew()
    {
        foreach (var (name, text) in _texts)
        {
            _texts.TryUpdate(name, new ModuleText(name, text.Bytes), text);
        }

        Interlocked.Increment(ref _generation);
    }
}

/// One version of a module. Two of them are the same only if they are one object.
internal sealed class ModuleText(string name, byte[] bytes)
{
    public string Name { get; } = name;

    public byte[] Bytes { get; } = bytes;

    /// How errors call it.
    public string ChunkName { get; } = $"@{name}.lua";
}
