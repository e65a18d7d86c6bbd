using System.Globalization;
using System.Net.NetworkInformation;
using Aerie.Foundation;
using Aerie.Server.Config;

namespace Aerie.Server.Statistics;

/// Who this node is, for as long as the process lives.
public sealed record NodeIdentity
{
    /// The release that we are compatible with: clients decide by it what they send.
    public const string Build = "8.1.2.0";

    /// Names the release's inner protocols.
    public const int CompatibilityId = 15;

    public required string NodeId { get; init; }

    /// Names the cluster's present membership; new with every start.
    public required string ClusterKey { get; init; }

    public required long StartedAtNanoseconds { get; init; }

    public required long StartedAtUnixMilliseconds { get; init; }

    /// The configured id; otherwise one that the interface's address and the port make, as in the reference: it stays the
    /// same over restarts.
    public static NodeIdentity Of(ServiceOptions options, int port, IClock clock)
    {
        var id = options.NodeId ?? IdFrom(port, AddressOf(options.NodeIdInterface));
        var started = clock.UnixMilliseconds;
        var key = (Mix(id ^ (ulong)started) & 0xFFFF_FFFF_FFFFUL) | 1;
        return new NodeIdentity
        {
            NodeId = id.ToString("X", CultureInfo.InvariantCulture),
            ClusterKey = key.ToString("X", CultureInfo.InvariantCulture),
            StartedAtNanoseconds = clock.MonotonicNanoseconds,
            StartedAtUnixMilliseconds = started,
        };
    }

    internal static ulong IdFrom(int port, ReadOnlySpan<byte> address)
    {
        var id = (ulong)(ushort)port;
        for (var i = 5; i >= 0; i--)
        {
            id = (id << 8) | (i < address.Length ? address[i] : 0UL);
        }

        return id;
    }

    private static byte[] AddressOf(string wanted)
    {
        var all = NetworkInterface.GetAllNetworkInterfaces()
            .Where(candidate => wanted.Length == 0
                ? candidate.NetworkInterfaceType != NetworkInterfaceType.Loopback : candidate.Name == wanted)
            .OrderBy(candidate => candidate.Name, StringComparer.Ordinal)
            .Select(candidate => candidate.GetPhysicalAddress().GetAddressBytes());
        return all.FirstOrDefault(address => address.Length == 6 && address.Any(part => part != 0)) ?? FromHostName();
    }

    // A machine without any hardware address: its name has to do.
    private static byte[] FromHostName()
    {
        var hash = Crc32C.Of(System.Text.Encoding.UTF8.GetBytes(Environment.MachineName));
        return [2, 0, (byte)hash, (byte)(hash >> 8), (byte)(hash >> 16), (byte)(hash >> 24)];
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xFF51_AFD7_ED55_8CCD;
        value = (value ^ (value >> 33)) * 0xC4CE_B9FE_1A85_EC53;
        return value ^ (value >> 33);
    }
}
