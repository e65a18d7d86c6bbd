using Aerie.Server.Config;
using Xunit;

namespace Aerie.Node.Tests.Config;

public sealed class StorageChecksTests
{
    [Theory]
    [InlineData("device {\n }", "2: namespace a: storage-engine device without 'device' or 'file'; write 'file PATH'")]
    [InlineData("device {\n file /x\n }", "3: namespace a: 'file' without 'filesize'")]
    [InlineData("device {\n file /x\n filesize 16M\n }", "4: 'filesize' is '16M', which is out of range; allowed are 33554432 (32M)")]
    [InlineData("device {\n file /x\n filesize 1G\n device /dev/sdb\n }", "5: namespace a: 'file' and 'device' are both given")]
    [InlineData("device {\n device /dev/sdb\n device /dev/../dev/sdb\n }", "3: namespace a: '/dev/../dev/sdb' is given twice")]
    [InlineData("device {\n device /dev/sdb /dev/sdb\n }", "3: namespace a: '/dev/sdb' is given twice")]
    [InlineData("device {\n device /dev/sdb /dev/sdc\n device /dev/sdd\n }",
        "3: namespace a: some devices have a shadow and some have none")]
    [InlineData("device {\n device /dev/sdb /dev/sdc /dev/sdd\n }", "3: namespace a: '/dev/sdc /dev/sdd' is no path")]
    [InlineData("device {\n device /dev/sdb\n encryption aes-256\n }", "4: namespace a: 'encryption' needs 'encryption-key-file'")]
    [InlineData("device {\n device /d\n encryption-old-key-file /k\n }", "4: namespace a: 'encryption-old-key-file' needs")]
    [InlineData("device {\n device /d\n commit-to-device true\n disable-odsync true\n }", "5: namespace a: 'disable-odsync' takes back")]
    [InlineData("memory {\n file /x\n }", "3: namespace a: 'file' without 'filesize'")]
    public void Contradictions_are_problems(string engine, string problem)
    {
        ConfigReport report = ConfigHarness.Conf($"namespace a {{\n storage-engine {engine}\n}}\n");
        Assert.Contains(report.Findings.Problems(), told => told.StartsWith(problem, StringComparison.Ordinal));
        Assert.Null(report.Options);
    }

    [Fact]
    public void A_device_belongs_to_one_namespace()
    {
        string space = "storage-engine device {\n device /dev/sdb\n }\n}\n";
        ConfigReport report = ConfigHarness.Conf($"namespace a {{\n{space}namespace b {{\n{space}");
        Assert.Equal(["8: namespace b: '/dev/sdb' belongs to namespace a already; each needs its own"], report.Findings.Problems());
    }

    [Theory]
    [InlineData("memory {\n filesize 1G\n }", "3: namespace a: 'filesize' without 'file' has no effect")]
    [InlineData("memory {\n commit-to-device true\n }", "3: namespace a: 'commit-to-device' without 'file' or 'device' has no effect")]
    [InlineData("memory {\n encryption-key-file /k\n }", "3: namespace a: encryption without 'file' or 'device' has no effect")]
    [InlineData("memory {\n file /x\n filesize 1G\n data-size 1G\n }", "5: namespace a: 'data-size' has no effect beside")]
    [InlineData("device {\n device /d\n max-write-cache 1M\n }", "4: namespace a: 'max-write-cache' below 64M counts as that")]
    [InlineData("device {\n device /d\n evict-used-pct 70\n }", "4: namespace a: evict-used-pct 70 is not below stop-writes-used-pct 70")]
    public void What_has_no_effect_is_a_warning(string engine, string warning)
    {
        ConfigReport report = ConfigHarness.Conf($"namespace a {{\n storage-engine {engine}\n}}\n");
        Assert.Empty(report.Findings.Problems());
        Assert.Contains(report.Findings.Warnings(), told => told.StartsWith(warning, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("device {\n file /x\n filesize 100M\n }", "4: namespace a: 'filesize' is rounded down to 96M, a multiple of 8M")]
    [InlineData("device {\n device /d\n encryption-key-file /k\n }", "4: namespace a: records are encrypted with aes-128")]
    public void What_is_done_differently_is_told(string engine, string told)
    {
        ConfigReport report = ConfigHarness.Conf($"namespace a {{\n storage-engine {engine}\n}}\n");
        Assert.False(report.HasProblems);
        string text = told[(told.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        Assert.Contains(report.Lines(), line => line.EndsWith(text, StringComparison.Ordinal));
    }

    [Fact]
    public void The_engine_arrives_in_the_options()
    {
        StorageOptions storage = ConfigHarness.Conf("""
            namespace a {
                storage-engine device {
                    device /dev/sdb /dev/sdc
                    device /dev/sdd   /dev/sde
                    commit-to-device true
                    cold-start-empty true
                    flush-max-ms 5
                    flush-size 128K
                    max-write-cache 128M
                    post-write-cache 16M
                    compression zstd
                    compression-level 3
                    encryption aes-256
                    encryption-key-file /key
                    encryption-old-key-file /old
                }
            }
            """).Options!.Namespaces[0].Storage;
        Assert.Equal([new StoragePath("/dev/sdb", "/dev/sdc"), new StoragePath("/dev/sdd", "/dev/sde")], storage.Paths);
        Assert.True(storage is { IsPersistent: true, IsMemory: false, AreFiles: false, FileSize: 0 });
        Assert.True(storage is { CommitToDevice: true, ColdStartEmpty: true });
        Assert.Equal(
            (5, 128L << 10, 128L << 20, 16L << 20),
            (storage.FlushMaxMs, storage.FlushSize, storage.MaxWriteCache, storage.PostWriteCache));
        Assert.Equal(
            (RecordCompression.Zstd, 3, RecordEncryption.Aes256),
            (storage.Compression, storage.CompressionLevel, storage.Encryption));
        Assert.Equal(("/key", "/old"), (storage.EncryptionKeyFile, storage.EncryptionOldKeyFile));
    }

    [Fact]
    public void Memory_with_a_file_is_persistent_and_memory_alone_is_not()
    {
        StorageOptions written = ConfigHarness.Conf(
            "namespace a {\n storage-engine memory {\n file /x\n file /y\n filesize 100M\n }\n}\n").Options!.Namespaces[0].Storage;
        Assert.True(written is { IsMemory: true, IsPersistent: true, AreFiles: true, FileSize: 96L << 20 });
        Assert.False(ConfigHarness.Conf("namespace a {\n}\n").Options!.Namespaces[0].Storage.IsPersistent);
    }

    [Fact]
    public void What_the_table_calls_dynamic_can_be_set_while_the_node_runs()
    {
        ConfigReport report = ConfigHarness.Conf("namespace a {\n storage-engine device {\n device /d\n }\n}\n");
        ConfigStore store = new(ConfigHarness.Table, report);
        string[] changes =
        [
            "flush-max-ms=7", "flush-size=65536", "max-write-cache=134217728", "post-write-cache=0", "compression=lz4", "defrag-lwm-pct=60",
            "read-page-cache=true", "cache-replica-writes=true", "stop-writes-used-pct=90",
        ];
        Assert.All(changes, change => Assert.Equal("ok", store.Set($"context=namespace;namespace=a;{change}").Text));
        Assert.NotEqual("ok", store.Set("context=namespace;namespace=a;commit-to-device=true").Text);
        StorageOptions storage = store.Namespaces["a"].Current.Storage;
        Assert.Equal(
            (7, 65536L, 0L, RecordCompression.Lz4),
            (storage.FlushMaxMs, storage.FlushSize, storage.PostWriteCache, storage.Compression));
    }
}
