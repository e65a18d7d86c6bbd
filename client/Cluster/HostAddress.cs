namespace Aerie.Client.Cluster;

/// `host`, `host:port` or `[v6]:port`.
public readonly record struct HostAddress(string Host, int Port)
{
    public const int DefaultPort = 3000;

    public static HostAddress Parse(string text, int defaultPort = DefaultPort)
    {
        var bracket = text.LastIndexOf(']');
        var colon = text.LastIndexOf(':');
        var isBareV6 = bracket < 0 && colon >= 0 && text.IndexOf(':') != colon;
        var hasPort = colon > bracket && !isBareV6;
        var host = (hasPort ? text[..colon] : text).Trim('[', ']');
        var port = defaultPort;
        if (host.Length == 0 || (hasPort && !(int.TryParse(text[(colon + 1)..], out port) && port is > 0 and <= 65535)))
        {
            throw new FormatException($"\"{text}\" is not an address; write host:port");
        }

        return new HostAddress(host, port);
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
