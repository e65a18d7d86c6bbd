using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Aerie.Lua;

/// A function as a call names it.
internal readonly ref struct CalledName(ReadOnlySpan<byte> module, ReadOnlySpan<byte> function)
{
    public readonly ReadOnlySpan<byte> Module = module;
    public readonly ReadOnlySpan<byte> Function = function;
}

/// A function by name, to be kept.
internal sealed class FunctionName(CalledName name)
{
    public byte[] Module { get; } = name.Module.ToArray();

    public byte[] Function { get; } = name.Function.ToArray();

    public bool Is(CalledName name) => name.Function.SequenceEqual(Function) && name.Module.SequenceEqual(Module);

    public string ModuleText => Encoding.UTF8.GetString(Module);

    public string FunctionText => Encoding.UTF8.GetString(Function);
}

/// Finds functions by the bytes of a request without making an object.
internal sealed class FunctionNames : IEqualityComparer<FunctionName>, IAlternateEqualityComparer<CalledName, FunctionName>
{
    public bool Equals(FunctionName? x, FunctionName? y) => ReferenceEquals(x, y) || (x is not null && y is not null && Equals(Of(x), y));

    public int GetHashCode([DisallowNull] FunctionName obj) => GetHashCode(Of(obj));

    public bool Equals(CalledName alternate, FunctionName other) => other.Is(alternate);

    public int GetHashCode(CalledName alternate)
    {
        var hash = default(HashCode);
        hash.AddBytes(alternate.Module);
        hash.AddBytes(alternate.Function);
        return hash.ToHashCode();
    }

    public FunctionName Create(CalledName alternate) => new(alternate);

    private static CalledName Of(FunctionName name) => new(name.Module, name.Function);
}
