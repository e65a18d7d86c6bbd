using Aerie.Io;

namespace Aerie.TestKit;

/// The wire between simulated engines and the peers that a test plays. One lock guards all of it, so engines may run on
/// threads of their own; a test that steps everything on one thread is deterministic.
public sealed class SimulatedNetwork
{
    private readonly Dictionary<int, SimulatedPeer> _peers = [];
    private readonly Dictionary<int, (SimulatedEngine Engine, int Tag)> _listeners = [];
    private int _lastNumber;
    private int _lastFreePort = 50_000;

    internal Lock Gate { get; } = new();

    /// The connection waits for the engine's next Wait. Throws when nobody listens on the port.
    public SimulatedPeer Connect(int listenPort)
    {
        lock (Gate)
        {
            if (!_listeners.TryGetValue(listenPort, out var listener))
            {
                throw new IoException($"nobody listens on port {listenPort}");
            }

            var peer = new SimulatedPeer(this, ++_lastNumber);
            _peers.Add(peer.Number, peer);
            listener.Engine.Arrive(peer, listener.Tag);
            return peer;
        }
    }

    internal int Listen(ListenAddress address, SimulatedEngine engine, int tag)
    {
        var port = address.Port == 0 ? ++_lastFreePort : address.Port;
        if (!_listeners.TryAdd(port, (engine, tag)))
        {
            throw new IoException($"cannot listen on {address.Host} port {port}: Address already in use");
        }

        return port;
    }

    internal void StopListening(SimulatedEngine engine, int? tag)
    {
        var stopped = _listeners.Where(entry => entry.Value.Engine == engine && (tag ?? entry.Value.Tag) == entry.Value.Tag);
        foreach (var entry in stopped.ToList())
        {
            _listeners.Remove(entry.Key);
        }
    }

    internal SimulatedPeer Peer(int number) => _peers[number];

    internal void Forget(SimulatedPeer peer) => _peers.Remove(peer.Number);
}
