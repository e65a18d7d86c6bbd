using Aerie.Storage;
using Xunit;

namespace Aerie.Node.Tests.Storage;

public sealed class MemoryRecordLogTests : RecordLogContract
{
    protected override IBlockBacking CreateBacking(int blocks) => new MemoryBacking(blocks * (long)IBlockBacking.BlockLength);
}

public sealed class MemoryBackingTests
{
    private const int Block = IBlockBacking.BlockLength;

    [Fact]
    public void What_is_only_reserved_costs_no_memory()
    {
        using var backing = new MemoryBacking(1L << 40);

        Assert.Equal(131_072, backing.BlockCount);
        Assert.Equal(0, backing.ResidentBytes);
    }

    [Fact]
    public void Discarded_blocks_go_back_to_the_system_except_for_the_warm_ones()
    {
        using var backing = new MemoryBacking(16 * Block);
        var before = Environment.WorkingSet;
        for (var block = 0; block < 16; block++)
        {
            Assert.True(backing.TryOpen(block));
            backing.Writable(block).Fill(1);
        }

        Assert.Equal(16 * Block, backing.ResidentBytes);
        var full = Environment.WorkingSet;
        Assert.InRange(full - before, 15 * Block, 17 * Block);

        var kept = Enumerable.Range(0, 16).Count(backing.Discard);

        Assert.Equal(MemoryBacking.WarmBlocksMax, kept);
        Assert.Equal(kept * Block, backing.ResidentBytes);
        Assert.InRange(full - Environment.WorkingSet, 11 * Block, 13 * Block);
    }

    [Fact]
    public void A_data_size_is_a_limit_and_rounds_down_to_blocks()
    {
        using var backing = new MemoryBacking((3 * Block) - 1);

        Assert.Equal(2, backing.BlockCount);
    }
}
