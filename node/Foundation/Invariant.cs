using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Aerie.Foundation;

/// Checks for programmer errors. They stay on in production: a node that has lost an invariant must stop, because its
/// data can no longer be trusted and its replicas can serve.
public static class Invariant
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Holds(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? expression = null)
    {
        if (!condition)
        {
            Broken(expression); // a separate method: the check itself stays small enough to inline
        }
    }

    [DoesNotReturn]
    public static void Broken(string? what) => throw new InvariantException(what ?? "unnamed");
}

/// Never caught below Program: whoever catches it would go on with a node that has lost its footing.
public sealed class InvariantException(string what) : Exception($"invariant broken: {what}");
