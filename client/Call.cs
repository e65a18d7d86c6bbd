using Aerie.Client.Cluster;
using Aerie.Client.Wire;
using Aerie.Protocol;

namespace Aerie.Client;

/// One request and its reply: chooses a node, sends, waits, and goes to the next replica where the policy allows it.
/// The reply lies in the connection's buffer, so the connection is lent out until Dispose.
internal ref struct Call
{
    private readonly ClusterNode _node;
    private readonly NodeConnection _connection;
    private bool _isWhole;

    private Call(ClusterNode node, NodeConnection connection, ReadOnlySpan<byte> reply)
    {
        _node = node;
        _connection = connection;
        Reply = reply;
    }

    public ReadOnlySpan<byte> Reply { get; }

    public static Call Execute(NodeCluster cluster, Policy policy, Key key, ReadOnlySpan<byte> request, bool isWrite)
    {
        var deadline = new Deadline(policy);
        for (var attempt = 0; ; attempt++)
        {
            var node = cluster.Holder(key.Namespace, key.Partition, isWrite ? 0 : attempt);
            try
            {
                return Attempt(node, policy, request, deadline, isWrite);
            }
            catch (AerieException failure) when (CanRepeat(failure) && attempt < policy.MaxRetries && !deadline.IsOver)
            {
                // The next attempt asks the next replica.
            }
        }
    }

    /// The reply was read to its end without a complaint: the connection can serve again.
    public void Complete() => _isWhole = true;

    public readonly void Dispose()
    {
        if (_isWhole)
        {
            _node.Return(_connection);
        }
        else
        {
            _node.Discard(_connection);
        }
    }

    private static Call Attempt(ClusterNode node, Policy policy, ReadOnlySpan<byte> request, Deadline deadline, bool isWrite)
    {
        var connection = node.Rent();
        var sent = false;
        try
        {
            connection.Send(request, TimeSpan.FromMilliseconds(deadline.Patience()));
            sent = true;
            return new Call(node, connection, connection.Receive(ProtoType.Message, deadline));
        }
        catch (AerieException failure)
        {
            failure.InDoubt = isWrite && sent;
            node.Discard(connection);
            throw;
        }
    }

    private static bool CanRepeat(AerieException failure) => failure.Kind is FailureKind.Timeout or FailureKind.Connection;
}
