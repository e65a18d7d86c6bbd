using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Aerie.Io;

/// Makes listening sockets and names peers: what happens once per address or connection, not per request.
internal static unsafe class Sockets
{
    private const int AddressMax = 28; // sockaddr_in6
    private const int IPv4AddressLength = 16;

    /// One socket per address that the host stands for, all on one port. All of them, or an IoException and none.
    public static List<int> Listen(ListenAddress address, out int port)
    {
        var sockets = new List<int>();
        port = address.Port;
        var lastError = Native.EADDRNOTAVAIL;
        foreach (var candidate in Resolve(address))
        {
            var error = TryListen(candidate, port, address.Backlog, out var socket);
            if (error == 0)
            {
                sockets.Add(socket);
                port = PortOf(socket);
                continue;
            }

            lastError = error;
            // A machine without IPv6 still resolves localhost to ::1; the other addresses suffice then.
            if (error is not (Native.EAFNOSUPPORT or Native.EADDRNOTAVAIL))
            {
                CloseAll(sockets);
                throw CannotListen(address, Native.Reason(error));
            }
        }

        return sockets.Count > 0 ? sockets : throw CannotListen(address, Native.Reason(lastError));
    }

    /// A connected socket that does not block.
    public static int Connect(string host, int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(host, port);
            socket.Blocking = false;
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new IoException($"cannot connect to {host} port {port}: {failure.Message}");
        }

        var file = (int)socket.SafeHandle.DangerousGetHandle();
        socket.SafeHandle.SetHandleAsInvalid(); // the engine owns the descriptor now
        return file;
    }

    public static void SendWithoutDelay(int socket)
    {
        var yes = 1;
        Native.SetSocketOption(socket, Native.LevelTcp, Native.OptionNoDelay, &yes, sizeof(int));
    }

    /// Reads and clears what went wrong on the socket; 0 = nothing.
    public static int TakeError(int socket)
    {
        int error;
        uint length = sizeof(int);
        return Native.GetSocketOption(socket, Native.LevelSocket, Native.OptionError, &error, &length) == 0 ? error : Native.Errno;
    }

    public static string Peer(int socket)
    {
        var bytes = stackalloc byte[AddressMax];
        uint length = AddressMax;
        return Native.GetPeerName(socket, bytes, &length) == 0
            ? Read(new ReadOnlySpan<byte>(bytes, (int)length))?.ToString() ?? "unknown"
            : "unknown";
    }

    private static List<Candidate> Resolve(ListenAddress address)
    {
        if (address.Host == "any")
        {
            // one socket serves both families where the kernel has IPv6
            return Socket.OSSupportsIPv6
                ? [new Candidate(IPAddress.IPv6Any, BothFamilies: true)]
                : [new Candidate(IPAddress.Any, BothFamilies: false)];
        }

        if (IPAddress.TryParse(address.Host, out var literal))
        {
            return [new Candidate(literal, BothFamilies: false)];
        }

        try
        {
            return Dns.GetHostAddresses(address.Host).Distinct().Select(found => new Candidate(found, BothFamilies: false)).ToList();
        }
        catch (Exception unresolved) when (unresolved is SocketException or ArgumentException)
        {
            throw CannotListen(address, unresolved.Message);
        }
    }

    // Returns the errno, 0 = listening.
    private static int TryListen(Candidate candidate, int port, int backlog, out int socket)
    {
        var isIPv6 = candidate.Address.AddressFamily == AddressFamily.InterNetworkV6;
        var family = isIPv6 ? Native.FamilyIPv6 : Native.FamilyIPv4;
        socket = Native.Socket(family, Native.Stream | Native.NonBlocking | Native.CloseOnExec, 0);
        if (socket < 0)
        {
            return Native.Errno;
        }

        var yes = 1;
        Native.SetSocketOption(socket, Native.LevelSocket, Native.OptionReuseAddress, &yes, sizeof(int));
        if (isIPv6)
        {
            var only = candidate.BothFamilies ? 0 : 1;
            Native.SetSocketOption(socket, Native.LevelIPv6, Native.OptionIPv6Only, &only, sizeof(int));
        }

        var bytes = stackalloc byte[AddressMax];
        var length = Write(candidate.Address, port, new Span<byte>(bytes, AddressMax));
        if (Native.Bind(socket, bytes, (uint)length) == 0 && Native.Listen(socket, backlog) == 0)
        {
            return 0;
        }

        var error = Native.Errno;
        Native.Close(socket);
        return error;
    }

    private static int PortOf(int socket)
    {
        var bytes = stackalloc byte[AddressMax];
        uint length = AddressMax;
        return Native.GetSocketName(socket, bytes, &length) == 0 ? Read(new ReadOnlySpan<byte>(bytes, (int)length))?.Port ?? 0 : 0;
    }

    // sockaddr_in: family, port, address. sockaddr_in6: family, port, flow, address, scope.
    private static int Write(IPAddress address, int port, Span<byte> into)
    {
        into.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(into[2..], (ushort)port);
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            MemoryMarshal.Write(into, (ushort)Native.FamilyIPv4);
            address.TryWriteBytes(into[4..], out _);
            return IPv4AddressLength;
        }

        MemoryMarshal.Write(into, (ushort)Native.FamilyIPv6);
        address.TryWriteBytes(into[8..], out _);
        MemoryMarshal.Write(into[24..], (uint)address.ScopeId);
        return AddressMax;
    }

    private static IPEndPoint? Read(ReadOnlySpan<byte> from)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(from[2..]);
        return MemoryMarshal.Read<ushort>(from) switch
        {
            Native.FamilyIPv4 => new IPEndPoint(new IPAddress(from.Slice(4, 4)), port),
            Native.FamilyIPv6 => new IPEndPoint(Unmapped(new IPAddress(from.Slice(8, 16))), port),
            _ => null,
        };
    }

    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static void CloseAll(List<int> sockets)
    {
        foreach (var socket in sockets)
        {
            Native.Close(socket);
        }
    }

    private static IoException CannotListen(ListenAddress address, string reason) =>
        new($"cannot listen on {address.Host} port {address.Port}: {reason}");

    private readonly record struct Candidate(IPAddress Address, bool BothFamilies);
}
