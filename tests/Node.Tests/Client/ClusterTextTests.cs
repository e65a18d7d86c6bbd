using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.Client;

public class ClusterTextTests
{
    [Fact]
    public void Peers_are_read_with_names_and_both_kinds_of_addresses()
    {
        var peers = PeersText.Parse("3,3000,[[BB1,,[10.0.0.1:3100,[::1]:3200]],[BB2,tls.name,[host]]]");
        Assert.Equal("BB1 BB2", string.Join(" ", peers.Select(peer => peer.NodeId)));
        Assert.Equal([new HostAddress("10.0.0.1", 3100), new HostAddress("::1", 3200)], peers[0].Addresses);
        Assert.Equal([new HostAddress("host", 3000)], peers[1].Addresses);
        Assert.Empty(PeersText.Parse("1,3000,[]"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ERROR:4:unrecognized command")]
    [InlineData("1,3000,[[BB1,,[10.0.0.1:3100")]
    [InlineData("1,3000,[[BB1")]
    [InlineData("1,3000,[x")]
    public void Other_text_in_place_of_peers_is_refused(string text)
    {
        Assert.Equal(FailureKind.Malformed, Assert.Throws<AerieException>(() => PeersText.Parse(text)).Kind);
    }

    [Fact]
    public void The_first_partition_is_the_highest_bit_and_attempts_go_through_the_replicas()
    {
        var first = new ClusterNode("A", "8", new HostAddress("a", 1), ClientPolicy.Default);
        var second = new ClusterNode("B", "8", new HostAddress("b", 1), ClientPolicy.Default);
        var map = PartitionMap.From([(first, $"test:0,2,{Bitmap(0, 4095)},{Bitmap(7)}"), (second, $"test:0,2,{Bitmap(7)},{Bitmap(0)}")]);
        Assert.Same(first, map.Holder("test", 0, 0));
        Assert.Same(second, map.Holder("test", 0, 1));
        Assert.Same(second, map.Holder("test", 7, 0));
        Assert.Same(first, map.Holder("test", 4095, 1));
        Assert.Null(map.Holder("test", 1, 0));
        Assert.Null(map.Holder("other", 0, 0));
    }

    [Theory]
    [InlineData("test:0,2,AAAA")]
    [InlineData("test:0,1,AAAA")]
    [InlineData("nonsense")]
    public void A_partition_map_that_does_not_follow_the_rules_is_refused(string text)
    {
        var node = new ClusterNode("A", "8", new HostAddress("a", 1), ClientPolicy.Default);
        Assert.Equal(FailureKind.Malformed, Assert.Throws<AerieException>(() => PartitionMap.From([(node, text)])).Kind);
    }

    [Theory]
    [InlineData("h", "h", 3000)]
    [InlineData("h:1", "h", 1)]
    [InlineData("[::1]:5", "::1", 5)]
    [InlineData("::1", "::1", 3000)]
    public void Addresses_are_read_in_all_their_forms(string text, string host, int port)
    {
        Assert.Equal(new HostAddress(host, port), HostAddress.Parse(text));
    }

    [Theory]
    [InlineData("h:0")]
    [InlineData("h:x")]
    [InlineData(":3000")]
    public void Addresses_that_are_none_are_refused(string text) => Assert.Throws<FormatException>(() => HostAddress.Parse(text));

    private static string Bitmap(params int[] partitions)
    {
        var bitmap = new byte[Digest.PartitionCount / 8];
        foreach (var partition in partitions)
        {
            bitmap[partition / 8] |= (byte)(0x80 >> (partition % 8));
        }

        return Convert.ToBase64String(bitmap);
    }
}
