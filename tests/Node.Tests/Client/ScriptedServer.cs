using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Aerie.Client.Cluster;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Node.Tests.Client;

/// A server that answers info commands from a table and messages as the test says, on real sockets. What the client sends
/// is kept for the test to look at.
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _connections = [];
    private readonly Action<Stream, byte[]> _answer;

    public ScriptedServer(Action<Stream, byte[]> answer)
    {
        _answer = answer;
        _listener.Start();
        new Thread(AcceptAll) { IsBackground = true }.Start();
    }

    public Dictionary<string, string> Info { get; } = new(StringComparer.Ordinal)
    {
        ["node"] = "BB9000000000001",
        ["build"] = "8.1.2.0",
        ["partition-generation"] = "1",
        ["peers-clear-std"] = "1,3000,[]",
        ["replicas"] = "test:0,1," + Convert.ToBase64String(AllPartitions()),
    };

    public List<byte[]> Messages { get; } = [];

    public HostAddress Address => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port);

    public static byte[] Message(params byte[][] records)
    {
        var body = records.SelectMany(record => record).ToArray();
        return [.. HeaderOf(ProtoType.Message, body.Length), .. body];
    }

    public static byte[] Record(
        ResultCode result,
        Info3 info3 = Info3.None,
        uint generation = 1,
        int slot = 0,
        byte[][]? fields = null,
        byte[][]? operations = null)
    {
        var header = new byte[MessageHeader.Length];
        header[0] = MessageHeader.Length;
        header[3] = (byte)info3;
        header[5] = (byte)result;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(6), generation);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(14), slot);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(18), (ushort)(fields?.Length ?? 0));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(20), (ushort)(operations?.Length ?? 0));
        return [.. header, .. (fields ?? []).SelectMany(field => field), .. (operations ?? []).SelectMany(operation => operation)];
    }

    public static byte[] Field(FieldId type, ReadOnlySpan<byte> data) => [.. Length(data.Length + 1), (byte)type, .. data];

    public static byte[] Operation(string bin, ParticleType type, ReadOnlySpan<byte> value) =>
        [.. Length(4 + bin.Length + value.Length), 1, (byte)type, 0, (byte)bin.Length, .. Encoding.UTF8.GetBytes(bin), .. value];

    public static byte[] HeaderOf(ProtoType type, long length)
    {
        var header = new byte[ProtoHeader.Length];
        BinaryPrimitives.WriteUInt64BigEndian(header, ((ulong)ProtoHeader.CurrentVersion << 56) | ((ulong)type << 48) | (ulong)length);
        return header;
    }

    public static byte[] Length(int length)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)length);
        return bytes;
    }

    public void Dispose()
    {
        _listener.Stop();
        lock (_connections)
        {
            _connections.ForEach(connection => connection.Dispose());
        }
    }

    private static byte[] AllPartitions()
    {
        var bitmap = new byte[Digest.PartitionCount / 8];
        Array.Fill(bitmap, (byte)0xFF);
        return bitmap;
    }

    private void AcceptAll()
    {
        try
        {
            while (true)
            {
                var connection = _listener.AcceptTcpClient();
                lock (_connections)
                {
                    _connections.Add(connection);
                }

                new Thread(() => Serve(connection)) { IsBackground = true }.Start();
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    private void Serve(TcpClient connection)
    {
        try
        {
            using var stream = connection.GetStream();
            var header = new byte[ProtoHeader.Length];
            while (connection.Connected)
            {
                stream.ReadExactly(header);
                var body = new byte[BinaryPrimitives.ReadUInt64BigEndian(header) & 0xFFFF_FFFF_FFFF];
                stream.ReadExactly(body);
                if (header[1] == (byte)ProtoType.Info)
                {
                    AnswerInfo(stream, Encoding.UTF8.GetString(body));
                    continue;
                }

                lock (Messages)
                {
                    Messages.Add(body);
                }

                _answer(stream, body);
            }
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has closed, or the test is over.
        }
    }

    private void AnswerInfo(Stream stream, string commands)
    {
        var answer = new StringBuilder();
        foreach (var command in commands.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            answer.Append(command).Append('\t').Append(Info.GetValueOrDefault(command, "ERROR:4:unrecognized command")).Append('\n');
        }

        var body = Encoding.UTF8.GetBytes(answer.ToString());
        stream.Write([.. HeaderOf(ProtoType.Info, body.Length), .. body]);
    }
}
