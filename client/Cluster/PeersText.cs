namespace Aerie.Client.Cluster;

internal readonly record struct Peer(string NodeId, IReadOnlyList<HostAddress> Addresses);

/// Reads `generation,defaultPort,[[nodeId,tlsName,[host:port,[v6]:port,…]],…]`.
internal static class PeersText
{
    public static List<Peer> Parse(string text)
    {
        var peers = new List<Peer>();
        var afterGeneration = text.IndexOf(',') + 1;
        var list = text.IndexOf('[');
        if (afterGeneration <= 0 || list < 0)
        {
            throw Malformed(text);
        }

        var defaultPort = int.TryParse(text[afterGeneration..list].TrimEnd(','), out var port) ? port : HostAddress.DefaultPort;
        var at = list + 1;
        while (at < text.Length && text[at] != ']')
        {
            at = text[at] == ',' ? at + 1 : at;
            peers.Add(ParsePeer(text, ref at, defaultPort));
        }

        return peers;
    }

    private static Peer ParsePeer(string text, ref int at, int defaultPort)
    {
        var id = Until(text, ref at, "[", ',');
        Until(text, ref at, string.Empty, ','); // the name for TLS
        if (at >= text.Length || text[at] != '[')
        {
            throw Malformed(text);
        }

        var end = EndOfList(text, at);
        var addresses = new List<HostAddress>();
        foreach (var address in text[(at + 1)..end].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            addresses.Add(HostAddress.Parse(address, defaultPort));
        }

        at = end + 2; // past the brackets of the addresses and of the peer
        return new Peer(id, addresses);
    }

    private static string Until(string text, ref int at, string prefix, char stop)
    {
        var end = text.IndexOf(stop, Math.Min(at, text.Length));
        if (end < 0 || string.CompareOrdinal(text, at, prefix, 0, prefix.Length) != 0 || end < at + prefix.Length)
        {
            throw Malformed(text);
        }

        var part = text[(at + prefix.Length)..end];
        at = end + 1;
        return part;
    }

    /// Addresses of IPv6 have brackets of their own, so the matching one is found by counting.
    private static int EndOfList(string text, int open)
    {
        var depth = 0;
        for (var i = open; i < text.Length; i++)
        {
            depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        throw Malformed(text);
    }

    private static AerieException Malformed(string text) =>
        new(FailureKind.Malformed, $"a node describes its peers as \"{text[..Math.Min(text.Length, 80)]}\"");
}
