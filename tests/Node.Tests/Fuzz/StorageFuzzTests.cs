using Aerie.Fuzz;
using Aerie.Node.Tests.Architecture;
using Xunit;

namespace Aerie.Node.Tests.Fuzz;

public sealed class StorageFuzzTests
{
    private const string Folder = "tests/Fuzz/corpus/storage";

    /// A difference means that a format has changed, or that the seeds are to be written again: Aerie.Fuzz storage-seeds.
    [Fact]
    public void The_committed_seeds_are_what_the_formats_write()
    {
        Assert.All(StorageSeeds.Files, seed =>
            Assert.Equal(seed.Value, File.ReadAllBytes(Path.Combine(Repository.Root, Folder, seed.Key))));
        Assert.True(StorageSeeds.Images.Count > 50);
    }

    [Fact]
    public void Mutated_devices_yield_nothing_that_was_not_written()
    {
        var corpus = Corpus.Load(Path.Combine(Repository.Root, Folder));
        var result = new Fuzzer(StorageFuzz.Run, new FuzzLimits()).Run(corpus, seed: 3, inputs: 2_000);
        Assert.Null(result.Problem);
    }

    /// The oracle can fail: an image of the right form, signed for the block it lies in, that is in no seed.
    [Fact]
    public void An_image_that_nobody_wrote_is_a_finding()
    {
        var block = StorageSeeds.Files["block1"].ToArray();
        var seed = Aerie.Storage.Devices.BlockHeader.SeedOf(1, 0);
        var image = block.AsSpan(Aerie.Storage.Devices.DeviceLayout.PageLength);
        Aerie.Storage.RemovalMark.Write(image, default, 1, 2);
        Aerie.Storage.RecordImage.Reseed(image, seed);
        Assert.Throws<InvalidOperationException>(() => StorageFuzz.Run(block));
    }
}
