using Aerie.Server.Config;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Config;

/// Files of earlier releases start, say what to write today, and mean what they meant.
public sealed class OldParametersTests
{
    private const string OldFile = """
        service {
            user root
            group root
            paxos-single-replica-limit 1
            pidfile /var/run/asd.pid
            service-threads 4
            transaction-queues 4
            transaction-threads-per-queue 4
            allow-inline-transactions true
            proto-fd-max 15000
            nsup-period 60
            object-size-hist-period 600
            nsup-delete-sleep 0
            prole-extra-ttl 0
            transaction-pending-limit 7
            batch-threads 4
            query-threads 6
            scan-max-done 50
            scan-threads-limit 64
            transaction-repeatable-read true
            respond-client-on-master-completion true
        }
        mod-lua {
            system-path /opt/aerospike/sys/udf/lua
        }
        network {
            service {
                address any
                port 3000
                external-address 192.0.2.1
            }
            heartbeat {
                mode multicast
                multicast-group 239.1.99.222
                mcast-ttl 2
                port 9918
                interval 150
                timeout 10
            }
            fabric {
                port 3001
            }
            info {
                port 3003
            }
        }
        namespace test {
            replication-factor 2
            memory-size 4G
            default-ttl 30d
            high-water-memory-pct 61
            high-water-disk-pct 50
            stop-writes-pct 80
            single-bin false
            data-in-index false
            index-stage-size 1G
            max-ttl 1d
            cold-start-evict-ttl 10
            obj-size-hist-max 100
            partition-tree-locks 8
            allow-nonxdr-writes false
            background-scan-max-rps 500
            single-scan-threads 9
            set users {
                set-disable-eviction true
                set-stop-writes-count 100
                set-enable-xdr use-default
            }
            storage-engine memory
        }
        namespace bar {
            memory-size 1G
            disable-nsup true
            storage-engine device {
                file /opt/aerospike/data/bar.dat
                filesize 16G
                data-in-memory true
                write-block-size 128K
                max-used-pct 60
                min-avail-pct 4
                scheduler-mode noop
                commit-min-size 0
                defrag-lwm-pct 40
            }
        }
        """;

    private static readonly string[] OldNames =
    [
        "paxos-single-replica-limit", "transaction-queues", "transaction-threads-per-queue", "allow-inline-transactions", "nsup-period",
        "object-size-hist-period", "nsup-delete-sleep", "prole-extra-ttl", "transaction-pending-limit", "batch-threads", "query-threads",
        "scan-max-done", "scan-threads-limit", "transaction-repeatable-read", "respond-client-on-master-completion", "system-path",
        "external-address", "mcast-ttl", "memory-size", "high-water-memory-pct", "high-water-disk-pct", "stop-writes-pct", "single-bin",
        "data-in-index", "cold-start-evict-ttl", "obj-size-hist-max", "partition-tree-locks", "allow-nonxdr-writes",
        "background-scan-max-rps", "single-scan-threads", "set-disable-eviction", "set-stop-writes-count", "set-enable-xdr", "disable-nsup",
        "data-in-memory", "write-block-size", "max-used-pct", "min-avail-pct", "scheduler-mode", "commit-min-size",
    ];

    [Fact, Evidence("CONF-03")]
    public void An_old_file_starts_and_each_old_name_warns_exactly_once()
    {
        ConfigReport report = ConfigHarness.Conf(OldFile);
        Assert.Empty(report.Findings.Problems());
        string[] warnings = [.. report.Findings.Warnings()];
        Assert.All(OldNames, name =>
        {
            string warning = Assert.Single(warnings, warning => warning.Contains($"'{name}' in", StringComparison.Ordinal));
            Assert.Matches("is obsolete: .*(use|ignored|being there)", warning);
        });
        Assert.Contains(warnings, warning => warning.StartsWith("49: 'memory-size' in namespace is obsolete", StringComparison.Ordinal)
            && warning.EndsWith("(also on line 72)", StringComparison.Ordinal));
        Assert.DoesNotContain(warnings, warning => warning.Contains("index-stage-size", StringComparison.Ordinal));
    }

    [Fact]
    public void Old_names_take_effect_under_the_new_ones()
    {
        ConfigReport report = ConfigHarness.Conf(OldFile);
        NodeOptions options = report.Options!;
        Assert.Equal((50, 64), (options.Service.QueryMaxDone, options.Service.QueryThreadsLimit));
        Assert.Equal(["192.0.2.1"], options.Network.Access.Addresses);
        Assert.Equal(3003, options.Network.Info!.Port);

        NamespaceOptions test = options.Namespaces[0];
        Assert.Equal((4L << 30, 61, 61, 80),
            (test.Storage.DataSize, test.Storage.EvictUsedPct, test.EvictIndexesMemoryPct, test.StopWritesSysMemoryPct));
        Assert.Equal((60L, 600L, 7L), (test.NsupPeriodSeconds, test.NsupHistPeriodSeconds, test.TransactionPendingLimit));
        Assert.Equal((500, 9, true), (test.BackgroundQueryMaxRps, test.SingleQueryThreads, test.RejectNonXdrWrites));
        Assert.Equal((true, 100L), (test.Sets["users"].DisableEviction, test.Sets["users"].StopWritesCount));

        Settings space = report.Settings.Child("namespace", "test")!;
        Assert.Equal(("master", "all"), (space.Text("write-commit-level-override"), space.Text("read-consistency-level-override")));
        Assert.Equal("2", report.Settings.Child("network")!.Child("heartbeat")!.Text("multicast-ttl"));
    }

    [Fact]
    public void Data_in_memory_makes_a_memory_namespace_that_writes_through_to_the_same_file()
    {
        ConfigReport report = ConfigHarness.Conf(OldFile);
        NamespaceOptions bar = report.Options!.Namespaces[1];
        Assert.Equal((1L << 30, 60, 4, 40),
            (bar.Storage.DataSize, bar.Storage.StopWritesUsedPct, bar.Storage.StopWritesAvailPct, bar.Storage.DefragLwmPct));
        Assert.Equal((128 << 10, 0L), (bar.MaxRecordSize, bar.NsupPeriodSeconds));
        Assert.True(bar.Storage is { IsMemory: true, IsPersistent: true, AreFiles: true, FileSize: 16L << 30 });
        Assert.Equal([new StoragePath("/opt/aerospike/data/bar.dat", null)], bar.Storage.Paths);
    }

    [Theory]
    [InlineData("memory-size 8G\n storage-engine memory {\n data-size 1G\n }", 1L << 30)]
    [InlineData("memory-size 8G\n storage-engine memory", 8L << 30)]
    [InlineData("memory-size 8G", 8L << 30)]
    [InlineData("memory-size 10M", 64L << 20)]
    [InlineData("memory-size 0", 4L << 30)]
    public void The_new_name_wins_over_the_old(string statements, long dataSize)
    {
        ConfigReport report = ConfigHarness.Conf($"namespace a {{\n {statements}\n}}");
        Assert.Equal(dataSize, report.Options!.Namespaces[0].Storage.DataSize);
    }

    [Fact]
    public void Beside_persistent_memory_the_memory_is_the_index_s()
    {
        Settings space = ConfigHarness.Conf(
            "namespace a {\n memory-size 2G\n high-water-memory-pct 60\n high-water-disk-pct 50\n storage-engine pmem\n}")
            .Settings.Child("namespace")!;
        Assert.Equal((2L << 30, 60, 50),
            (space.Integer("indexes-memory-budget"), space.Int("evict-indexes-memory-pct"),
                space.Child("storage-engine")!.Int("evict-used-pct")));
    }

    /// A fuzzer found one that met an engine nobody had thought of.
    [Theory, InlineData("memory"), InlineData("device"), InlineData("pmem")]
    public void Every_old_name_meets_every_storage_engine(string engine)
    {
        foreach (Parameter row in ConfigHarness.Table.Rows.Where(row => row.Status == ParameterStatus.Obsolete))
        {
            string value = row.Type == ParameterType.Boolean ? "true" : row.Allowed.Count > 0 ? row.Allowed[0] : $"{row.Max}";
            string line = $" {row.ConfName} {value}\n";
            (string inService, string inSpace, string inEngine) = row.Section switch
            {
                "service" => (line, "", ""),
                "namespaces" => ("", line, ""),
                _ when row.Section == $"namespaces.storage-engine:{engine}" => ("", "", line),
                _ => ("", "", ""),
            };
            ConfigReport report = ConfigHarness.Conf(
                $"service {{\n{inService}}}\nnamespace a {{\n{inSpace} storage-engine {engine} {{\n{inEngine} }}\n}}");
            Assert.DoesNotContain(report.Findings.Problems(), text => text.Contains($"'{row.ConfName}'", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Old_device_sizes_become_bytes()
    {
        Settings device = ConfigHarness.Conf(
            "namespace a {\n memory-size 2G\n storage-engine device {\n write-block-size 128K\n post-write-queue 100\n disable-odirect "
                + "true\n }\n}")
            .Settings.Child("namespace")!.Child("storage-engine")!;
        Assert.Equal(("131072", "13107200", "true"),
            (device.Text("flush-size"), device.Text("post-write-cache"), device.Text("read-page-cache")));

        Settings plain = ConfigHarness.Conf("namespace a {\n memory-size 2G\n storage-engine device {\n post-write-queue 3\n }\n}")
            .Settings.Child("namespace")!;
        Assert.Equal(("3145728", "2147483648"),
            (plain.Child("storage-engine")!.Text("post-write-cache"), plain.Text("indexes-memory-budget")));
    }

    [Fact]
    public void Security_of_old_files_is_on_only_where_they_say_so()
    {
        const string Space = "namespace a {\n}\n";
        Assert.False(ConfigHarness.Conf(Space + "security {\n enable-security false\n}").HasProblems);
        Assert.True(ConfigHarness.Conf(Space + "security {\n enable-security true\n}").HasProblems);
    }

    [Fact]
    public void Old_shipping_settings_are_ignored_with_a_hint()
    {
        ConfigReport report = ConfigHarness.Conf("xdr {\n enable-xdr true\n xdr-digestlog-path /opt/xdr 100G\n datacenter dc1 {\n"
            + " dc-node-address-port 10.0.0.1 3000\n }\n}\nnamespace a {\n enable-xdr true\n xdr-remote-datacenter dc1\n}\n");
        Assert.Empty(report.Findings.Problems());
        Assert.Equal(5, report.Findings.Warnings().Count(warning =>
            warning.Contains("use xdr { dc NAME { namespace NAME } }", StringComparison.Ordinal)));
    }

    [Fact]
    public void An_old_name_one_section_off_is_ignored_with_its_warning()
    {
        ConfigReport report = ConfigHarness.Conf("namespace a {\n data-in-memory true\n storage-engine memory {\n data-in-index false\n "
            + "}\n}\n");
        Assert.Empty(report.Findings.Problems());
        Assert.Equal(2, report.Findings.Warnings().Count());
    }
}
