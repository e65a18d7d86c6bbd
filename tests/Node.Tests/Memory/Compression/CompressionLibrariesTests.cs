using Aerie.Memory.Compression;
using Aerie.Storage.Codecs;
using Xunit;

namespace Aerie.Node.Tests.Memory.Compression;

public sealed class CompressionLibrariesTests
{
    public static TheoryData<CompressionAlgorithm> Algorithms =>
        [CompressionAlgorithm.Lz4, CompressionAlgorithm.Snappy, CompressionAlgorithm.Zstd];

    [Theory, MemberData(nameof(Algorithms))]
    public void The_libraries_that_the_tests_need_are_installed(CompressionAlgorithm algorithm) =>
        CompressionLibraries.Load().Require(algorithm);

    [Theory]
    [InlineData(CompressionAlgorithm.Lz4, "compression lz4 needs the system's library liblz4.so.1", "install the Debian package liblz4-1")]
    [InlineData(CompressionAlgorithm.Snappy, "compression snappy needs the system's library libsnappy.so.1", "package libsnappy1v5")]
    [InlineData(CompressionAlgorithm.Zstd, "compression zstd needs the system's library libzstd.so.1", "package libzstd1")]
    public void A_missing_library_is_refused_with_its_package(CompressionAlgorithm algorithm, string needs, string install)
    {
        var none = CompressionLibraries.Load(file => file + ".none");

        Assert.False(none.Has(algorithm));
        var refusal = Assert.Throws<MissingLibraryException>(() => none.Require(algorithm)).Message;
        Assert.StartsWith(needs, refusal);
        Assert.EndsWith(install, refusal);
    }

    [Fact]
    public void A_library_of_another_make_counts_as_missing() =>
        Assert.False(CompressionLibraries.Load(_ => "libc.so.6").Has(CompressionAlgorithm.Zstd));

    [Fact]
    public void A_namespace_keeps_its_compression_when_another_is_refused()
    {
        var coding = new ImageCoding(CompressionLibraries.Load(file => file == "libzstd.so.1" ? "none" : file), null)
        {
            Compression = new CompressionSettings(CompressionAlgorithm.Lz4),
        };

        Assert.Throws<MissingLibraryException>(() => coding.Compression = new CompressionSettings(CompressionAlgorithm.Zstd));
        Assert.Equal(CompressionAlgorithm.Lz4, coding.Compression.Algorithm);
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void What_does_not_fit_exactly_is_refused(CompressionAlgorithm algorithm)
    {
        using var compressor = CompressionLibraries.Load().Create(algorithm);
        var raw = new byte[1000];
        var compressed = new byte[1200];
        var length = compressor.Compress(raw, compressed, 0);

        Assert.InRange(length, 1, 100);
        Assert.Equal(0, compressor.Compress(raw, new byte[length - 1], 0));
        Assert.True(compressor.TryDecompress(compressed.AsSpan(0, length), raw));
        Assert.False(compressor.TryDecompress(compressed.AsSpan(0, length), raw.AsSpan(0, 999)));
        Assert.False(compressor.TryDecompress(compressed.AsSpan(0, length), new byte[1001]));
        Assert.False(compressor.TryDecompress(compressed.AsSpan(0, length - 1), raw));
        Assert.False(compressor.TryDecompress(compressed.AsSpan(0, length + 1), raw));
        Assert.False(compressor.TryDecompress([], raw));
    }
}
