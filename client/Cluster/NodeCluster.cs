using Aerie.Foundation;

namespace Aerie.Client.Cluster;

/// Knows the nodes and the partition map, and keeps both true with one background thread. Readers see immutable
/// snapshots; only the tending thread (or the first tend in the constructor) replaces them.
internal sealed class NodeCluster : IDisposable
{
    /// A node that was silent this often in a row is forgotten, unless it is the last one.
    private const int FailedTendsMax = 5;

    private readonly IReadOnlyList<HostAddress> _seeds;
    private readonly ClientPolicy _policy;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread? _tending;
    private volatile ClusterNode[] _nodes = [];
    private volatile PartitionMap _map = PartitionMap.Empty;

    public NodeCluster(IReadOnlyList<HostAddress> seeds, ClientPolicy policy)
    {
        _seeds = seeds;
        _policy = policy;
        Tend();
        if (!policy.SeedsOnly)
        {
            _tending = new Thread(TendUntilStopped) { IsBackground = true, Name = "aerie-tend" };
            _tending.Start();
        }
    }

    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    public ClusterNode Holder(string @namespace, int partition, int attempt)
    {
        if (_policy.SeedsOnly)
        {
            return _nodes[attempt % _nodes.Length];
        }

        return _map.Holder(@namespace, partition, attempt) ?? throw (_map.Knows(@namespace)
            ? new AerieException(FailureKind.NoNode, $"no node holds partition {partition} of namespace {@namespace}")
            : new AerieException(ResultCode.Namespace, $"no node has a namespace {@namespace}"));
    }

    public void Dispose()
    {
        _stop.Set();
        _tending?.Join();
        foreach (var node in _nodes)
        {
            node.Dispose();
        }

        _stop.Dispose();
    }

    private void TendUntilStopped()
    {
        while (!_stop.Wait(_policy.TendInterval))
        {
            try
            {
                Tend();
            }
            catch (Exception)
            {
                // Whatever one round met (no node reachable, nonsense in an answer): the last good map stays, the next round tries again.
            }
        }
    }

    private void Tend()
    {
        var nodes = _nodes.ToDictionary(node => node.Id, StringComparer.Ordinal);
        var changed = false;
        if (nodes.Count == 0)
        {
            Seed(nodes);
        }

        foreach (var node in nodes.Values.ToArray())
        {
            changed |= Refresh(node, nodes);
        }

        foreach (var node in nodes.Values.Where(node => node.FailedTends >= FailedTendsMax).ToArray())
        {
            nodes.Remove(node.Id);
            node.Dispose();
            changed = true;
        }

        _nodes = [.. nodes.Values];
        if (changed && !_policy.SeedsOnly)
        {
            _map = PartitionMap.From(Replicas(nodes.Values));
        }
    }

    private void Seed(Dictionary<string, ClusterNode> nodes)
    {
        AerieException? failure = null;
        foreach (var seed in _seeds)
        {
            try
            {
                Meet(seed, nodes);
            }
            catch (AerieException cause)
            {
                failure = cause;
            }
        }

        if (nodes.Count == 0)
        {
            throw new AerieException(
                FailureKind.Connection, $"none of the seeds answers: {string.Join(", ", _seeds)} ({failure?.Message})", failure);
        }
    }

    private void Meet(HostAddress address, Dictionary<string, ClusterNode> nodes)
    {
        var answers = ClusterNode.Ask(address, _policy.ConnectTimeout, "node", "build");
        if (answers.Count < 2 || answers[0].Value.Length == 0)
        {
            throw new AerieException(FailureKind.Malformed, $"{address} does not say which node it is");
        }

        var id = answers[0].Value;
        if (!nodes.ContainsKey(id))
        {
            nodes.Add(id, new ClusterNode(id, answers[1].Value, address, _policy));
        }
    }

    /// True when the partition map has to be asked for again.
    private bool Refresh(ClusterNode node, Dictionary<string, ClusterNode> nodes)
    {
        if (_policy.SeedsOnly)
        {
            return false;
        }

        try
        {
            var answers = node.Ask("node", "partition-generation", "peers-clear-std");
            if (answers.Count < 3 || answers[0].Value != node.Id || !long.TryParse(answers[1].Value, out var generation))
            {
                node.FailedTends++; // another node took the address over
                return false;
            }

            node.FailedTends = 0;
            var known = nodes.Count;
            MeetPeers(answers[2].Value, nodes);
            var changed = nodes.Count != known || (generation >= 0 && generation != node.PartitionGeneration);
            node.PartitionGeneration = generation;
            return changed;
        }
        catch (AerieException)
        {
            node.FailedTends++;
            return false;
        }
    }

    private void MeetPeers(string text, Dictionary<string, ClusterNode> nodes)
    {
        foreach (var peer in PeersText.Parse(text))
        {
            if (nodes.ContainsKey(peer.NodeId) || peer.Addresses.Count == 0)
            {
                continue;
            }

            try
            {
                Meet(peer.Addresses[0], nodes);
            }
            catch (AerieException)
            {
                // The peer is known by name but not reachable yet: the next round tries again.
            }
        }
    }

    private static List<(ClusterNode Node, string Replicas)> Replicas(IEnumerable<ClusterNode> nodes)
    {
        var answers = new List<(ClusterNode, string)>();
        foreach (var node in nodes)
        {
            try
            {
                answers.Add((node, node.Ask("replicas")[0].Value));
            }
            catch (AerieException)
            {
                node.PartitionGeneration = -1; // asked again in the next round
            }
        }

        return answers;
    }
}
