using System.Text;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Memory.Compression;
using Aerie.Node.Tests.Records.Flushing;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Statistics;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;
using Aerie.TestKit;
using Aerie.Tools.Storage;
using Xunit;

namespace Aerie.Node.Tests.Records.Coding;

/// Namespaces that compress or encrypt, across restarts.
public sealed class CodedNamespaceTests
{
    private const int Records = 40;
    private const string Secret = "nobody may read this";

    private readonly SimulatedDisk _disk = new();

    public static TheoryData<string> Codings => new(CodedNode.All);

    [Theory, MemberData(nameof(Codings))]
    public void What_was_written_is_read_from_the_device_and_changed_after_a_restart(string lines)
    {
        using (var node = new DeviceNode(_disk, lines, "device"))
        {
            Fill(node);
            node.Flush();
        }

        using (var node = new DeviceNode(_disk, lines, "device"))
        {
            AssertFilled(node);
            Assert.True(Count(node, NamespaceCounter.DeviceReads) > 0);
            Assert.Equal(ResultCode.Ok, Ask(node, WireRequest.Write("k1").Op(OpCode.Append, "a", ParticleType.String, "!"u8)).Result);
            Assert.Equal(ResultCode.Ok, Ask(node, WireRequest.Delete("k2")).Result);
            Assert.Equal(ResultCode.Ok, Ask(node, WireRequest.Delete("k3").Flags(Info2.DurableDelete)).Result);
            node.Flush();
        }

        using var again = new DeviceNode(_disk, lines, "device");
        Assert.Equal(Value(1) + "!", Ask(again, WireRequest.Get("k1"))["a"].Text);
        Assert.Equal(ResultCode.NotFound, Ask(again, WireRequest.Get("k2")).Result);
        Assert.Equal(ResultCode.NotFound, Ask(again, WireRequest.Get("k3")).Result);
        Assert.Equal((Records - 2, 1), (again.Records.Objects, again.Records.Tombstones));
        Assert.Equal(ResultCode.KeyMismatch, Ask(again, WireRequest.Get("k1").SendKey("k9")).Result);
    }

    [Theory, MemberData(nameof(Codings))]
    public void A_memory_namespace_reads_its_files_back(string lines)
    {
        using (var node = new DeviceNode(_disk, lines))
        {
            Fill(node);
            node.Flush();
        }

        using var again = new DeviceNode(_disk, lines);
        AssertFilled(again);
        Assert.Equal(0, Count(again, NamespaceCounter.DeviceReads));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("encrypted", false)]
    [InlineData("both", false)]
    public void What_is_encrypted_cannot_be_found_on_the_device(string coding, bool isFound)
    {
        using (var node = new DeviceNode(_disk, LinesOf(coding), "device"))
        {
            Ask(node, WireRequest.Put("k", "a", Secret).SendKey("my secret user key"));
            node.Flush();
        }

        var bytes = _disk[DeviceNode.Path].Peek(0, 4 * DeviceLayout.BlockLength).AsSpan();
        Assert.Equal(isFound, bytes.IndexOf(Encoding.UTF8.GetBytes(Secret)) >= 0);
        Assert.Equal(isFound, bytes.IndexOf("my secret user key"u8) >= 0);
        Assert.True(bytes.IndexOf(WireRequest.DigestOf("k").ToArray()) >= 0);
    }

    [Fact]
    public void A_device_is_verified_without_its_key()
    {
        using (var node = new DeviceNode(_disk, CodedNode.Both, "device"))
        {
            Fill(node);
            node.Flush();
        }

        using var device = _disk.Open(new Aerie.Io.DeviceOrder(DeviceNode.Path, 0, Direct: false, DataSync: false, ReadOnly: true));
        var report = new DeviceInspection(device, verify: true, static _ => { }).Run();
        Assert.Equal((Records, 0), (report.Verified!.Records, report.Damages));
        Assert.Equal("aes-256", report.Label!.Encryption);
    }

    [Fact]
    public void Keys_that_do_not_fit_are_refused_and_the_right_one_still_opens()
    {
        using (var node = new DeviceNode(_disk, CodedNode.Encrypted))
        {
            Fill(node);
            node.Flush();
        }

        Refused($"{DeviceNode.Path} is not encrypted with encryption-key-file", $"encryption-key-file {CodedNode.OtherKeyFile}");
        Refused($"{DeviceNode.Path} is encrypted (aes-128) and no encryption-key-file is given", "");
        Refused("the configuration says encryption aes-256", $"encryption aes-256\nencryption-key-file {CodedNode.KeyFile}");
        Refused("cannot read the encryption key file /no/such/file", "encryption-key-file /no/such/file");
        using var again = new DeviceNode(_disk, CodedNode.Encrypted);
        AssertFilled(again);
    }

    [Fact]
    public void A_key_for_a_plain_device_is_refused()
    {
        using (new DeviceNode(_disk))
        {
        }

        Refused($"{DeviceNode.Path} is not encrypted, but encryption-key-file", CodedNode.Encrypted);
    }

    [Fact]
    public void A_key_is_changed_by_naming_both_files_once()
    {
        using (var node = new DeviceNode(_disk, CodedNode.Encrypted))
        {
            Fill(node);
            node.Flush();
        }

        var changed = $"encryption-key-file {CodedNode.OtherKeyFile}";
        var before = Header(0);
        using (var node = new DeviceNode(_disk, $"{changed}\nencryption-old-key-file {CodedNode.KeyFile}"))
        {
            AssertFilled(node);
        }

        Assert.NotEqual(before, Header(0));
        Assert.Equal(Header(0), Header(1));
        Refused("is not encrypted with encryption-key-file", CodedNode.Encrypted);
        _disk[DeviceNode.Path].Poke(DeviceLayout.PageLength, before); // the power failed before the second copy was written
        using (var again = new DeviceNode(_disk, changed))
        {
            AssertFilled(again);
        }

        Assert.Equal(Header(0), Header(1));
    }

    [Fact]
    public void An_image_that_cannot_be_decoded_is_an_error_of_its_own_record_alone()
    {
        using (var node = new DeviceNode(_disk, CodedNode.Both))
        {
            Fill(node);
            node.Flush();
        }

        Forge(WireRequest.DigestOf("k7"));
        foreach (var engine in new[] { "memory", "device" })
        {
            using var node = new DeviceNode(_disk, CodedNode.Both, engine);
            Assert.Equal(ResultCode.Unknown, Ask(node, WireRequest.Get("k7")).Result);
            Assert.Equal(ResultCode.Unknown, Ask(node, WireRequest.Write("k7").Op(OpCode.Append, "a", ParticleType.String, "!"u8)).Result);
            Assert.Equal(2, Count(node, NamespaceCounter.DeviceReadErrors));
            Assert.Equal(1, node.Logs.LinesWith("it cannot be decrypted or decompressed"));
            Assert.Equal(Value(8), Ask(node, WireRequest.Get("k8"))["a"].Text);
        }
    }

    [Fact]
    public void Compression_is_changed_while_the_node_runs_and_its_ratio_is_told()
    {
        using (var node = new DeviceNode(_disk))
        {
            Fill(node);
            Assert.Equal("1.000", Ratio(node));
            var plain = node.Records.Log.UsedBytes;
            Set(node, "compression=zstd");
            Set(node, "compression-level=3");
            Fill(node);
            Assert.InRange(node.Records.Log.UsedBytes, 1, plain - 1);
            Assert.InRange(double.Parse(Ratio(node)), 0.01, 0.9);
            Set(node, "compression=none");
            Ask(node, WireRequest.Put("k0", "a", Value(0)).SendKey("key0"));
            node.Flush();
        }

        using var again = new DeviceNode(_disk);
        AssertFilled(again);
        Assert.Equal(CompressionUse.Zstd, again.Records.Storage!.Coding.Used);
    }

    [Fact]
    public void Without_the_library_of_what_was_stored_the_storage_is_refused()
    {
        using (var node = new DeviceNode(_disk, CodedNode.Compressed))
        {
            Fill(node);
            node.Flush();
        }

        var libraries = CompressionLibraries.Load(file => file.Contains("zstd", StringComparison.Ordinal) ? "libnone.so" : file);
        var refused = Assert.Throws<MissingLibraryException>(() => new DeviceNode(_disk, libraries: libraries));
        Assert.Contains("install the Debian package libzstd1", refused.Message);
        using var other = new DeviceNode(new SimulatedDisk(), libraries: libraries);
        var answer = other.Under.Config.Set("context=namespace;namespace=test;compression=zstd");
        Assert.Contains("libzstd1", answer.Text);
        Set(other, "compression=lz4");
    }

    [Fact]
    public void A_namespace_in_memory_alone_refuses_to_compress()
    {
        using var node = new NodeUnderTest();
        var answer = node.Config.Set("context=namespace;namespace=test;compression=lz4");
        Assert.Contains("compression without 'file' or 'device' is not available", answer.Text);
        Assert.Equal("ok", node.Config.Set("context=namespace;namespace=test;compression=none").Text);
    }

    [Fact]
    public void A_record_that_grows_too_big_by_encryption_is_too_big()
    {
        using var node = new DeviceNode(_disk, CodedNode.Encrypted, namespaceLines: "max-record-size 8M");
        var longest = node.Records.Log.ImageLengthMax - RecordImage.OptionalOffset - 64;
        Assert.Equal(ResultCode.Ok, node.Writer.Put("k", new byte[longest - 32]));
        Assert.Equal(longest - 32, node.Writer.Get("k")!.Length);
        Assert.Equal(ResultCode.RecordTooBig, node.Writer.Put("k", new byte[longest + 32]));
    }

    [Fact]
    public void No_two_storages_seed_their_checksums_alike()
    {
        Assert.NotEqual(SeedOfFirst(), SeedOfFirst());

        static uint SeedOfFirst()
        {
            using var node = new DeviceNode(new SimulatedDisk());
            Fill(node);
            return node.Records.Log.SeedOf(RecordLocation.Of(0, 0, 1));
        }
    }

    private static string LinesOf(string coding) => coding switch
    {
        "encrypted" => CodedNode.Encrypted,
        "both" => CodedNode.Both,
        _ => coding,
    };

    private static string Value(int i) => string.Concat(Enumerable.Repeat($"value {i} ", 30 + i));

    private static void Fill(DeviceNode node)
    {
        for (var i = 0; i < Records; i++)
        {
            Assert.Equal(ResultCode.Ok, Ask(node, WireRequest.Put($"k{i}", "a", Value(i)).SendKey($"key{i}")).Result);
        }
    }

    private static void AssertFilled(DeviceNode node)
    {
        for (var i = 0; i < Records; i++)
        {
            Assert.Equal(Value(i), Ask(node, WireRequest.Get($"k{i}").SendKey($"key{i}"))["a"].Text);
        }
    }

    private static WireReply Ask(DeviceNode node, WireRequest request)
    {
        var peer = node.Under.Connect();
        var reply = WireReply.Read(node.Under.Ask(peer, request.Bytes()));
        peer.Close();
        return reply;
    }

    private static long Count(DeviceNode node, NamespaceCounter counter) => node.Records.Counters.Sum(counter);

    private static void Set(DeviceNode node, string change) =>
        Assert.Equal("ok", node.Under.Config.Set($"context=namespace;namespace=test;{change}").Text);

    private static string Ratio(DeviceNode node) => new NamespaceStatistics(node.Node.Namespaces, node.Clock)
        .Read(node.Records).Single(statistic => statistic.Key == "data_compression_ratio").Value;

    private byte[] Header(int copy) => _disk[DeviceNode.Path].Peek(copy * DeviceLayout.PageLength, DeviceLayout.PageLength);

    private void Refused(string part, string lines) =>
        Assert.Contains(part, Assert.Throws<EncryptionKeyException>(() => new DeviceNode(_disk, lines)).Message);

    /// What somebody who can write to the device but has no key can do: other bytes under a right checksum.
    private void Forge(Digest digest)
    {
        for (var block = 1; block < 4; block++)
        {
            var bytes = _disk[DeviceNode.Path].Peek(DeviceLayout.BlockOffset(block), DeviceLayout.BlockLength);
            var scan = new BlockScan(bytes, null);
            while (scan.MoveNext())
            {
                if (scan.Item == BlockItem.Record && scan.Record.Digest == digest)
                {
                    var image = bytes.AsSpan(scan.Unit * StorageUnit.Length, scan.Units * StorageUnit.Length);
                    image[^20] ^= 1;
                    RecordImage.Sign(image, scan.Header.Seed);
                    _disk[DeviceNode.Path].Poke(DeviceLayout.BlockOffset(block), bytes);
                    return;
                }
            }
        }

        Assert.Fail("no such record");
    }
}
