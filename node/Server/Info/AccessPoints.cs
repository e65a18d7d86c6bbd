using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Aerie.Server.Config;

namespace Aerie.Server.Info;

/// Where clients are told to connect to.
public sealed class AccessPoints(NetworkOptions network, IReadOnlyList<IPAddress> machine)
{
    private readonly ConcurrentDictionary<PortKind, int> _bound = new();

    /// The machine's own addresses, those that reach only the machine last. IPv6 only when it is to be advertised.
    public static IReadOnlyList<IPAddress> OfMachine(bool advertiseIpv6) =>
        [.. NetworkInterface.GetAllNetworkInterfaces()
            .Where(candidate => candidate.OperationalStatus != OperationalStatus.Down)
            .SelectMany(candidate => candidate.GetIPProperties().UnicastAddresses)
            .Select(found => found.Address)
            .Where(address => address.AddressFamily == AddressFamily.InterNetwork || (advertiseIpv6 && !address.IsIPv6LinkLocal))
            .OrderBy(IPAddress.IsLoopback)];

    /// The port that was really opened, where the configuration left it to the system.
    public void Bound(PortKind kind, int port) => _bound[kind] = port;

    public int ServicePort => network.Access.Port != 0 ? network.Access.Port : PortOf(PortKind.Service, network.Service);

    public string Standard => Join(network.Access.Addresses is { Length: > 0 } given ? given : Listening(network.Service), ServicePort);

    public string Alternate =>
        Join(network.AlternateAccess.Addresses, network.AlternateAccess.Port != 0 ? network.AlternateAccess.Port : ServicePort);

    public string Admin => network.Admin is { } admin ? Join(Listening(admin), PortOf(PortKind.Admin, admin)) : "";

    private int PortOf(PortKind kind, ListenOptions options) => _bound.TryGetValue(kind, out var port) ? port : options.Port;

    private IEnumerable<string> Listening(ListenOptions options)
    {
        var named = options.Addresses.Where(address => address is not ("any" or "0.0.0.0" or "::")).ToList();
        if (named.Count > 0)
        {
            return named;
        }

        var reachable = machine.Where(address => !IPAddress.IsLoopback(address)).ToList();
        return (reachable.Count > 0 ? reachable : [IPAddress.Loopback]).Select(address => address.ToString());
    }

    private static string Join(IEnumerable<string> hosts, int port) =>
        string.Join(',', hosts.Select(host => host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}"));
}
