using Aerie.Server.Config;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Config;

public sealed class ConfigCheckTests
{
    private const string Sound = "namespace test {\n storage-engine memory {\n data-size 1G\n }\n}\n";

    [Fact]
    public void The_embedded_default_configuration_is_sound()
    {
        ConfigReport report = ConfigHarness.Conf(ConfigCheck.DefaultText());
        Assert.Empty(report.Lines(FindingKind.Debug));
        Assert.Equal(0, report.ExitCode);

        NodeOptions options = report.Options!;
        Assert.Equal((3000, 9145), (options.Network.Service.Port, options.Network.Metrics!.Port));
        Assert.Null(options.Network.Admin);
        Assert.Null(options.Network.Info);
        NamespaceOptions test = Assert.Single(options.Namespaces);
        Assert.Equal(("test", 1L << 30, 120L, 0u), (test.Name, test.Storage.DataSize, test.NsupPeriodSeconds, test.DefaultTtlSeconds));
        Assert.Equal(10_000, options.Service.ShutdownGraceMs);
        Assert.Equal((LogSinkKind.Console, LogLevel.Info), (options.Logging.Sinks[0].Kind, options.Logging.Sinks[0].AnyLevel));
    }

    [Fact]
    public void What_is_not_given_has_the_defaults_of_the_reference()
    {
        NodeOptions options = ConfigHarness.Conf("namespace test {\n}\n").Options!;
        Assert.Equal((6, 6), (options.Service.ServiceThreads, options.Service.BatchIndexThreads));
        Assert.Equal((15_000, 1000L, 10L),
            (options.Service.ProtoFdMax, options.Service.TransactionMaxMs, options.Service.TickerIntervalSeconds));
        Assert.Equal(LogSinkKind.Console, Assert.Single(options.Logging.Sinks).Kind);
        NamespaceOptions test = options.Namespaces[0];
        Assert.Equal((4L << 30, 1 << 20, 20L, 4),
            (test.Storage.DataSize, test.MaxRecordSize, test.TransactionPendingLimit, test.TruncateThreads));
        Assert.Equal((70, 5, 90), (test.Storage.StopWritesUsedPct, test.Storage.StopWritesAvailPct, test.StopWritesSysMemoryPct));
        Assert.Null(options.Network.Metrics);
    }

    [Fact, Evidence("CONF-04")]
    public void Ten_mistakes_are_told_at_once_each_with_its_line()
    {
        string[] lines =
        [
            "service {",
            "  proto-fd-mx 100", // 2
            "  service-threads 5000", // 3
            "  advertise-ipv6 maybe", // 4
            "}",
            "netwrk {", // 6
            "}",
            "network {",
            "  service {",
            "    port 80", // 10
            "    default-ttl 5", // 11
            "  }",
            "}",
            "namespace test {",
            "  default-ttl 30x", // 15
            "  storage-engine memroy {", // 16
            "  }",
            "  set users {", // 18: never closed
            "    stop-writes-count",  // 19
            "  ",
            "}",
            "namespace test {", // 22: nests in the one above
        ];
        ConfigReport report = ConfigHarness.Conf(string.Join('\n', lines));

        Assert.Equal(1, report.ExitCode);
        Assert.Null(report.Options);
        string[] problems = [.. report.Findings.Problems()];
        string[] expected =
        [
            "2: unknown parameter 'proto-fd-mx' in service; did you mean 'proto-fd-max'?",
            "3: 'service-threads' is '5000', which is out of range; allowed are 1 to 4096",
            "4: 'advertise-ipv6' is 'maybe'; allowed are true, false",
            "6: unknown section 'netwrk' at the top; allowed are service, network, logging, mod-lua, security, namespace, xdr;"
                + " did you mean 'network'?",
            "10: 'port' is '80', which is out of range; allowed are 1024 to 65535, or 0 for not set",
            "11: unknown parameter 'default-ttl' in network / service; it belongs into namespace",
            "15: 'default-ttl' is '30x', which is not a time (a number of seconds, or one with s, m, h or d);"
                + " allowed are 0 to 315360000 (3650d)",
            "16: storage-engine is 'memroy'; allowed are memory, device, pmem; did you mean 'memory'?",
            "19: 'stop-writes-count' has no value; allowed are 0 to 18446744073709551615",
            "22: section 'namespace' is never closed: '}' is missing",
        ];
        Assert.All(expected, problem => Assert.Contains(problem, problems));
        Assert.Equal("aerospike.conf:2: problem: unknown parameter 'proto-fd-mx' in service; did you mean 'proto-fd-max'?",
            report.Lines().First());
    }

    [Theory]
    [InlineData("namespace a {\n}\nnamespace a {\n}", "3: namespace 'a' is given twice; the first is on line 1")]
    [InlineData("namespace a {\n set s {\n }\n set s {\n }\n}", "4: set 's' is given twice; the first is on line 2")]
    [InlineData("namespace aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa {\n}",
        "1: namespace name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is not allowed; allowed are 31 characters")]
    [InlineData("namespace a:b {\n}", "1: namespace name 'a:b' is not allowed")]
    [InlineData("namespace {\n}", "1: section 'namespace' has 0 words after it; write 'namespace NAME {'")]
    [InlineData("namespace a {\n storage-engine memory {\n data-size 63M\n }\n}",
        "3: 'data-size' is '63M', which is out of range; allowed are 67108864 (64M)")]
    [InlineData("namespace a {\n geo2dsphere-within {\n min-level 9\n max-level 8\n }\n}", "3: min-level 9 is above max-level 8")]
    [InlineData("namespace a {\n index-stage-size 129M\n}", "2: 'index-stage-size' is 135266304; allowed are powers of two")]
    [InlineData("namespace a {\n}\nservice {\n node-id xyz\n}", "4: 'node-id' is 'xyz'; allowed are 1 to 16 hexadecimal digits")]
    [InlineData("namespace a {\n}\nservice {\n cluster-name a;b\n}", "4: 'cluster-name' is 'a;b'")]
    [InlineData("namespace a {\n}\nnetwork {\n admin {\n port 3000\n }\n}", "5: port 3000 of network admin is taken by network service")]
    [InlineData("service {\n}", "0: there is no namespace; write 'namespace NAME {'")]
    [InlineData("namespace a {\n}\nservice 5", "3: 'service' is a section; write 'service {'")]
    [InlineData("namespace a {\n nsup-period {\n }\n}", "2: 'nsup-period' in namespace 'a' is a parameter, not a section")]
    [InlineData("namespace a {\n}\nlogging {\n console {\n context anyy info\n }\n}", "5: unknown log context 'anyy'")]
    [InlineData("namespace a {\n}\nlogging {\n console {\n context any inf\n }\n}",
        "5: 'any' is 'inf'; allowed are critical, warning, info, debug, detail; did you mean 'info'?")]
    public void Contradictions_are_problems(string text, string problem)
    {
        Assert.Contains(ConfigHarness.Conf(text).Findings.Problems(), told => told.StartsWith(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Thirty_two_namespaces_are_allowed_and_no_more()
    {
        string Spaces(int count) => string.Concat(Enumerable.Range(0, count).Select(i => $"namespace n{i} {{\n}}\n"));
        Assert.False(ConfigHarness.Conf(Spaces(32)).HasProblems);
        Assert.Contains("65: 33 namespaces are given; allowed are 32", ConfigHarness.Conf(Spaces(33)).Findings.Problems());
    }

    [Theory]
    [InlineData("default-ttl 1d", "2: namespace a: default-ttl without nsup-period")]
    [InlineData("storage-engine memory {\n evict-used-pct 70\n }",
        "3: namespace a: evict-used-pct 70 is not below stop-writes-used-pct 70")]
    [InlineData("nsup-period 1\n nsup-period 2", "3: 'nsup-period' replaces the value given on line 2")]
    [InlineData("index-type flash {\n mount /x\n }",
        "2: namespace a: index-type flash is not available in this build; the index is kept in memory")]
    public void Doubtful_combinations_are_warnings(string statement, string warning)
    {
        ConfigReport report = ConfigHarness.Conf($"namespace a {{\n {statement}\n}}\n");
        Assert.False(report.HasProblems);
        Assert.Contains(report.Findings.Warnings(), told => told.StartsWith(warning, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("namespace a {\n storage-engine pmem {\n file /x\n }\n}", "2: namespace a: storage-engine pmem is not available")]
    [InlineData("namespace a {\n strong-consistency true\n}", "2: namespace a: strong-consistency is not available")]
    [InlineData("security {\n}\n" + Sound, "1: security is not available")]
    [InlineData("xdr {\n dc d {\n }\n}\n" + Sound, "2: xdr dc d: shipping to other clusters is not available")]
    [InlineData("network {\n service {\n tls-port 4333\n }\n}\n" + Sound, "3: network service: TLS is not available")]
    public void What_this_build_cannot_do_stops_the_start_in_one_line(string text, string problem)
    {
        string told = Assert.Single(ConfigHarness.Conf(text).Findings.Problems());
        Assert.StartsWith(problem, told);
    }

    [Fact]
    public void A_single_node_accepts_heartbeat_and_fabric_and_says_that_it_stays_alone()
    {
        ConfigReport report = ConfigHarness.Conf("network {\n service {\n port 3000\n }\n heartbeat {\n mode mesh\n port 3002\n"
            + " mesh-seed-address-port 10.0.0.1 3002\n interval 150\n timeout 10\n }\n fabric {\n port 3001\n }\n}\n" + Sound);
        Assert.False(report.HasProblems);
        Assert.Equal(["8: network heartbeat: clusters are not available in this build; this node stays alone"], report.Findings.Warnings());
        Assert.Equal(2, report.Findings.Count(finding => finding.Kind == FindingKind.Info));
    }

    [Theory]
    [InlineData("", FindingKind.Warning)]
    [InlineData("service {\n cgroup-mem-tracking true\n}\n", FindingKind.Problem)]
    public void Data_that_cannot_fit_into_the_container_is_told(string service, FindingKind kind)
    {
        string text = service + "namespace test {\n storage-engine memory {\n data-size 8G\n }\n}\n";
        Finding finding = Assert.Single(
            ConfigHarness.Conf(text, machine: new MachineFacts(2, 4L << 30)).Findings, finding => finding.Kind <= FindingKind.Warning);
        Assert.Equal((kind, "data-size 8G exceeds the memory limit 4G of this container"), (finding.Kind, finding.Text));
        Assert.Empty(ConfigHarness.Conf(text, machine: new MachineFacts(2, 8L << 30)).Lines(FindingKind.Warning));
    }

    [Fact]
    public void A_huge_file_of_mistakes_ends_quickly_with_a_bounded_list()
    {
        string text = string.Concat(Enumerable.Repeat("unknown-thing 1\nname 2 {\n}\n", 30_000));
        ConfigReport report = ConfigHarness.Conf(text);
        Assert.Equal(Findings.Max + 1, report.Findings.Count);
        Assert.EndsWith("more findings", report.Findings[^1].Text);
    }

    [Fact]
    public void Logging_sinks_and_their_levels_are_read()
    {
        LoggingOptions logging = ConfigHarness.Conf("logging {\n file /var/log/a.log {\n context any warning\n context rw-client "
            + "DETAIL\n }\n"
            + " console {\n context any info\n }\n syslog {\n facility local3\n tag aerie\n context any critical\n }\n}\n"
            + Sound).Options!.Logging;
        Assert.Equal([LogSinkKind.File, LogSinkKind.Console, LogSinkKind.Syslog], logging.Sinks.Select(sink => sink.Kind));
        Assert.Equal(("/var/log/a.log", LogLevel.Detail, LogLevel.Warning),
            (logging.Sinks[0].Path, logging.Sinks[0].LevelFor("rw-client"), logging.Sinks[0].LevelFor("nsup")));
        Assert.Equal(("/dev/log", "local3", "aerie"), (logging.Sinks[2].Path, logging.Sinks[2].Facility, logging.Sinks[2].Tag));
    }
}
