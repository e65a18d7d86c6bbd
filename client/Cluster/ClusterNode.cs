using System.Diagnostics;
using System.Text;
using Aerie.Client.Wire;
using Aerie.Protocol;

namespace Aerie.Client.Cluster;

/// A node as the client knows it: its address, what it last said about itself, and idle connections to it.
public sealed class ClusterNode : IDisposable
{
    private readonly ClientPolicy _policy;
    private readonly Stack<NodeConnection> _idle = new();
    private readonly Lock _gate = new();
    private int _open;
    private bool _closed;

    internal ClusterNode(string id, string build, HostAddress address, ClientPolicy policy)
    {
        Id = id;
        Build = build;
        Address = address;
        _policy = policy;
    }

    public string Id { get; }

    public string Build { get; }

    public HostAddress Address { get; }

    internal long PartitionGeneration { get; set; } = -1;

    internal int FailedTends { get; set; }

    /// Asks one set of info commands on a connection of its own; answers by command, in order.
    public static IReadOnlyList<KeyValuePair<string, string>> Ask(
        HostAddress address, TimeSpan timeout, params ReadOnlySpan<string> commands)
    {
        using var connection = NodeConnection.Open(address, timeout);
        return Ask(connection, timeout, commands);
    }

    public IReadOnlyList<KeyValuePair<string, string>> Ask(params ReadOnlySpan<string> commands)
    {
        var connection = Rent();
        try
        {
            var answers = Ask(connection, _policy.ConnectTimeout, commands);
            Return(connection);
            return answers;
        }
        catch
        {
            Discard(connection);
            throw;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            while (_idle.TryPop(out var connection))
            {
                connection.Dispose();
            }
        }
    }

    internal NodeConnection Rent()
    {
        lock (_gate)
        {
            while (_idle.TryPop(out var connection))
            {
                if (Stopwatch.GetElapsedTime(connection.LastUsed) < _policy.MaxIdle)
                {
                    return connection;
                }

                _open--;
                connection.Dispose();
            }

            if (_open >= _policy.MaxConnectionsPerNode)
            {
                throw new AerieException(FailureKind.Connection, $"all {_open} connections to {Address} are in use");
            }

            _open++;
        }

        try
        {
            return NodeConnection.Open(Address, _policy.ConnectTimeout);
        }
        catch
        {
            lock (_gate)
            {
                _open--;
            }

            throw;
        }
    }

    internal void Return(NodeConnection connection)
    {
        connection.LastUsed = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            if (!_closed)
            {
                _idle.Push(connection);
                return;
            }
        }

        connection.Dispose();
    }

    internal void Discard(NodeConnection connection)
    {
        connection.Dispose();
        lock (_gate)
        {
            _open--;
        }
    }

    private static List<KeyValuePair<string, string>> Ask(NodeConnection connection, TimeSpan timeout, ReadOnlySpan<string> commands)
    {
        var writer = new MessageWriter(256);
        writer.Info(commands);
        connection.Send(writer.Written, timeout);
        var deadline = new Deadline(new Policy { TotalTimeout = timeout, SocketTimeout = timeout });
        var text = Encoding.UTF8.GetString(connection.Receive(ProtoType.Info, deadline));
        var answers = new List<KeyValuePair<string, string>>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var tab = line.IndexOf('\t');
            answers.Add(tab < 0 ? new(line, string.Empty) : new(line[..tab], line[(tab + 1)..]));
        }

        return answers;
    }
}
