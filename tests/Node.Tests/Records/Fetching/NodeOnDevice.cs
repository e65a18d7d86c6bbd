using Aerie.Foundation;
using Aerie.Memory.Compression;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Storage.Codecs;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Records.Fetching;

/// A node whose only namespace lies on a simulated device.
internal sealed class NodeOnDevice : IDisposable
{
    public NodeOnDevice(int loops = 1, string namespaceLines = "background-query-max-rps 1000000")
    {
        EvictingBacking? made = null;
        var configuration = NodeUnderTest.Configuration(namespaceLines, "file /data/test.dat\nfilesize 1G");
        Node = new NodeUnderTest(
            configuration,
            loops,
            storage: (options, updates) => new NamespaceStorage(
                made = new EvictingBacking(options.Storage.FileSize), static _ => { }, Found: null, updates,
                new ImageCoding(CompressionLibraries.Load(), null)));
        Records.Log.Recover().End();
        Backing = made!;
        Peer = Node.Connect();
    }

    public NodeUnderTest Node { get; }

    public EvictingBacking Backing { get; }

    public SimulatedPeer Peer { get; }

    public Namespace Records => Node.Node.Namespaces.All[0];

    public long DeviceReads => Counter(NamespaceCounter.DeviceReads);

    public int InFlight => Node.Node.Loops.Sum(loop => loop.Reads.InFlight);

    public long Counter(NamespaceCounter counter) => Records.Counters.Sum(counter);

    public void Put(string key, string value) =>
        Invariant.Holds(WireReply.Read(Ask(WireRequest.Put(key, "a", value).SendKey(key))).Result == ResultCode.Ok);

    public byte[] Ask(WireRequest request) => Node.Ask(Peer, request.Bytes());

    public WireReply Read(WireRequest request) => WireReply.Read(Ask(request));

    /// Sends on a connection of its own; the reply may come later.
    public SimulatedPeer Send(byte[] request)
    {
        var peer = Node.Connect();
        peer.Send(request);
        Node.Settle();
        return peer;
    }

    public void HoldReads() => Backing.Medium.HoldsReads = true;

    public void LetReadsEnd()
    {
        Backing.Medium.HoldsReads = false;
        Node.Settle();
    }

    /// The messages of a reply, however they were framed.
    public static byte[] Messages(ReadOnlySpan<byte> frames)
    {
        var messages = new List<byte>();
        while (!frames.IsEmpty)
        {
            var length = (int)ProtoHeader.Read(frames).BodyLength;
            messages.AddRange(frames.Slice(ProtoHeader.Length, length));
            frames = frames[(ProtoHeader.Length + length)..];
        }

        return [.. messages];
    }

    public void Dispose() => Node.Dispose();
}
