using Aerie.Server.Metrics;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class TruncationTests
{
    private static readonly byte[] Value = [1, 2, 3];

    [Fact]
    public void A_truncated_set_gives_its_space_back_and_what_was_written_after_the_cut_stays()
    {
        using var node = new HousekeptNode();
        for (var i = 0; i < 500; i++)
        {
            node.Writer.Put($"k{i}", Value, "a");
            node.Writer.Put($"k{i}", Value, "b");
        }

        node.Writer.Delete("k0", "a", durable: true);
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        node.Writer.Put("k1", Value, "a");
        Assert.True(node.Records.Sets.TryFind("a"u8, out var set));
        node.Records.Truncate(set, node.Writer.Worker.LastUpdateTime);
        Assert.True(node.Records.IsTruncating && node.Records.IsTruncatingSet(set));
        Assert.False(node.Writer.Exists("k2", "a"));

        node.KeepHouse(TimeSpan.FromSeconds(5));

        Assert.False(node.Records.IsTruncating || node.Records.IsTruncatingSet(set));
        Assert.Equal(499, node.Count(NamespaceCounter.TruncatedObjects)); // a tombstone among them
        Assert.Equal(501, node.Records.Objects);
        Assert.Equal(0, node.Records.Tombstones);
        Assert.True(node.Writer.Exists("k1", "a"));
        Books.MustBalance(node.Records);
    }

    [Fact]
    public void An_undo_in_time_brings_everything_back()
    {
        using var node = new HousekeptNode();
        node.Writer.Put("k", Value);
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        node.Writer.Worker.BeginTurn();
        node.Records.Truncate(null, node.Writer.Worker.LastUpdateTime);
        Assert.False(node.Writer.Exists("k"));
        node.Records.Truncate(null, 0);
        node.KeepHouse(TimeSpan.FromSeconds(5));
        Assert.False(node.Records.IsTruncating);
        Assert.True(node.Writer.Exists("k"));
    }

    [Fact]
    public void A_truncation_is_not_over_while_an_owner_keeps_a_record()
    {
        using var node = new HousekeptNode();
        var digest = TestKit.WireRequest.DigestOf("k");
        node.Writer.Put("k", Value);
        Assert.True(node.Records.TryHold(digest));
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        node.Writer.Worker.BeginTurn();
        node.Records.Truncate(null, node.Writer.Worker.LastUpdateTime);
        node.KeepHouse(TimeSpan.FromSeconds(5));
        Assert.True(node.Records.IsTruncating);
        node.Records.Release(node.Writer.Worker, digest);
        node.KeepHouse(TimeSpan.FromSeconds(1));
        Assert.False(node.Records.IsTruncating);
        Assert.Equal(0, node.Records.Objects);
    }

    [Fact]
    public void Tombstones_go_when_they_are_old_enough()
    {
        using var node = new HousekeptNode("tomb-raider-period 10\ntomb-raider-eligible-age 60");
        node.Writer.Put("k", Value);
        node.Writer.Delete("k", durable: true);
        node.KeepHouse(TimeSpan.FromSeconds(50));
        Assert.Equal(1, node.Records.Tombstones);
        node.KeepHouse(TimeSpan.FromSeconds(30));
        Assert.Equal(0, node.Records.Tombstones);
        Books.MustBalance(node.Records);
    }
}
