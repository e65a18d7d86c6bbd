namespace Aerie.Server.Records;

/// The node's namespaces: fixed at start, found by the bytes that requests carry.
public sealed class Namespaces(IReadOnlyList<Namespace> all)
{
    private readonly Namespace[] _all = [.. all];

    public IReadOnlyList<Namespace> All => _all;

    public Namespace? Find(ReadOnlySpan<byte> name)
    {
        foreach (var candidate in _all)
        {
            if (candidate.NameBytes.AsSpan().SequenceEqual(name))
            {
                return candidate;
            }
        }

        return null;
    }

    public Namespace? Find(string name) => Array.Find(_all, candidate => string.Equals(candidate.Name, name, StringComparison.Ordinal));
}
