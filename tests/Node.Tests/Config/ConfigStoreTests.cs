using System.Globalization;
using Aerie.Foundation;
using Aerie.Server.Config;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Config;

public sealed class ConfigStoreTests
{
    /// The order in which an 8.1.2 node answers get-config:context=service.
    private const string ServiceKeys =
        "advertise-ipv6 auto-pin batch-index-threads batch-max-buffers-per-queue batch-max-requests batch-max-unused-buffers "
            + "cgroup-mem-tracking "
        + "cluster-name debug-allocations disable-udf-execution enable-benchmarks-fabric enable-health-check enable-hist-info "
        + "enforce-best-practices feature-key-file[0] indent-allocations info-max-ms info-threads keep-caps-ssd-health log-local-time "
        + "log-millis "
        + "microsecond-histograms migrate-fill-delay migrate-max-num-incoming migrate-threads min-cluster-size node-id node-id-interface "
        + "os-group-perms pidfile poison-allocations proto-fd-idle-ms proto-fd-max quarantine-allocations query-max-done "
        + "query-threads-limit "
        + "run-as-daemon secrets-address-port secrets-tls-context secrets-uds-path service-threads sindex-builder-threads sindex-gc-period "
        + "stay-quiesced ticker-interval tls-refresh-period transaction-max-ms transaction-retry-ms vault-ca vault-namespace vault-path "
        + "vault-token-file vault-url work-directory";

    /// The configuration part of namespace/test of a node with a memory namespace.
    private const string NamespaceKeys =
        "active-rack allow-ttl-without-nsup apply-ttl-reductions auto-revive background-query-max-rps conflict-resolution-policy "
        + "conflict-resolve-writes default-read-touch-ttl-pct default-ttl disable-cold-start-eviction disable-mrt-writes "
        + "disable-write-dup-res "
        + "disallow-expunge disallow-null-setname enable-benchmarks-batch-sub enable-benchmarks-ops-sub enable-benchmarks-read "
        + "enable-benchmarks-udf enable-benchmarks-udf-sub enable-benchmarks-write enable-hist-proxy evict-hist-buckets "
        + "evict-indexes-memory-pct "
        + "evict-tenths-pct force-long-queries ignore-migrate-fill-delay index-stage-size indexes-memory-budget inline-short-queries "
        + "max-record-size migrate-order migrate-retransmit-ms migrate-skip-unreadable migrate-sleep mrt-duration nsup-hist-period "
        + "nsup-period "
        + "nsup-threads partition-tree-sprigs prefer-uniform-balance rack-id read-consistency-level-override reject-non-xdr-writes "
        + "reject-xdr-writes replication-factor sindex-stage-size single-query-threads stop-writes-sys-memory-pct strong-consistency "
        + "strong-consistency-allow-expunge tomb-raider-eligible-age tomb-raider-period tomb-raider-unmark-threads "
        + "transaction-pending-limit "
        + "truncate-threads write-commit-level-override xdr-bin-tombstone-ttl xdr-tomb-raider-period xdr-tomb-raider-threads "
        + "geo2dsphere-within.strict geo2dsphere-within.min-level geo2dsphere-within.max-level geo2dsphere-within.max-cells "
        + "geo2dsphere-within.level-mod geo2dsphere-within.earth-radius-meters index-type sindex-type storage-engine "
        + "storage-engine.commit-to-device storage-engine.compression storage-engine.compression-acceleration "
        + "storage-engine.compression-level "
        + "storage-engine.data-size storage-engine.defrag-lwm-pct storage-engine.defrag-queue-min storage-engine.defrag-sleep "
        + "storage-engine.defrag-startup-minimum storage-engine.direct-files storage-engine.disable-odsync "
        + "storage-engine.enable-benchmarks-storage storage-engine.encryption-key-file storage-engine.encryption-old-key-file "
        + "storage-engine.evict-used-pct storage-engine.filesize storage-engine.flush-max-ms storage-engine.max-write-cache "
        + "storage-engine.stop-writes-avail-pct storage-engine.stop-writes-used-pct storage-engine.tomb-raider-sleep";

    private const string SetKeys = "default-read-touch-ttl-pct default-ttl disable-eviction enable-index stop-writes-count "
        + "stop-writes-size";

    [Fact, Evidence("CONF-05")]
    public void Keys_and_their_order_are_those_of_the_reference()
    {
        ConfigStore store = Store();
        string[] own = ["io-rest-us", "shutdown-grace-ms"];
        Assert.Equal([.. ServiceKeys.Split(' '), .. own], Keys(store, "context=service"));
        Assert.Equal(NamespaceKeys.Split(' '), Keys(store, "context=namespace;namespace=test"));
        Assert.Equal(NamespaceKeys.Split(' '), Keys(store, "context=namespace;id=test"));
        Assert.Equal(SetKeys.Split(' '), Keys(store, "context=namespace;namespace=test;set=users"));
        Assert.Equal(SetKeys.Split(' '), Keys(store, "context=namespace;namespace=test;set=nobody"));
    }

    [Fact]
    public void Values_are_plain_numbers_true_and_false_and_null()
    {
        ConfigStore store = Store();
        Dictionary<string, string> service = Pairs(store, "context=service");
        Assert.Equal(("6", "false", "null", "15000"),
            (service["service-threads"], service["log-millis"], service["cluster-name"], service["proto-fd-max"]));
        Dictionary<string, string> space = Pairs(store, "context=namespace;namespace=test");
        Assert.Equal(("1073741824", "memory", "shmem", "null"), (space["storage-engine.data-size"], space["storage-engine"],
            space["index-type"], space["storage-engine.encryption-key-file"]));
        Assert.Equal("5", Pairs(store, "context=namespace;namespace=test;set=users")["stop-writes-count"]);
    }

    [Fact]
    public void Network_keys_are_dotted()
    {
        ConfigStore store = Store("network {\n service {\n address 10.0.0.1\n address 10.0.0.2\n port 3100\n }\n heartbeat {\n mode mesh\n"
            + " mesh-seed-address-port 10.0.0.2 3002\n }\n info {\n }\n}\n");
        Dictionary<string, string> network = Pairs(store, "context=network");
        Assert.Equal(("3100", "10.0.0.1,10.0.0.2", "mesh", "10.0.0.2:3002"), (network["service.port"], network["service.address"],
            network["heartbeat.mode"], network["heartbeat.mesh-seed-address-port"]));
        Assert.Equal(("3003", "any", "null"), (network["info.port"], network["fabric.address"], network["service.tls-name"]));
    }

    [Fact, Evidence("CONF-05")]
    public void Every_dynamic_parameter_can_be_set_and_read_back()
    {
        ConfigStore store = Store();
        foreach (Parameter row in ConfigHarness.Table.Rows.Where(row => row.IsDynamic && row.IsCurrent))
        {
            if (ContextOf(row) is not { } context)
            {
                continue;
            }

            string key = KeyOf(row);
            string value = Other(row, Pairs(store, context)[key]);
            ConfigAnswer answer = store.Set($"{context};{key}={value}");
            Assert.True(answer == new ConfigAnswer(ResultCode.Ok, "ok"), $"{key}={value}: {answer.Text}");
            Assert.Equal(value, Pairs(store, context)[key]);
        }
    }

    [Fact]
    public void Every_dynamic_parameter_that_claims_to_be_implemented_reaches_the_options()
    {
        ConfigStore store = Store();
        foreach (Parameter row in ConfigHarness.Table.Rows.Where(row => row.IsDynamic && row.Status == ParameterStatus.Implemented))
        {
            if (ContextOf(row) is not { } context)
            {
                Assert.Equal(SectionRules.SinkPath, row.Section); // log levels change by log-set
                continue;
            }

            string before = OptionsOf(store, row);
            string key = KeyOf(row);
            Assert.Equal("ok", store.Set($"{context};{key}={Other(row, Pairs(store, context)[key])}").Text);
            Assert.True(before != OptionsOf(store, row), $"{row.Section}.{row.Name} changes nothing");
        }
    }

    [Fact, Evidence("CONF-05")]
    public void Every_static_parameter_refuses_to_change_and_keeps_its_value()
    {
        ConfigStore store = Store();
        foreach (Parameter row in ConfigHarness.Table.Rows.Where(row =>
            !row.IsDynamic && row.IsCurrent && row.Name is not ("name" or "type")))
        {
            if (ContextOf(row) is { } context)
            {
                ConfigAnswer answer = store.Set($"{context};{KeyOf(row)}=1");
                Assert.Equal(ResultCode.Parameter, answer.Code);
                Assert.Contains($"{row.ConfName}' is not dynamic", answer.Text);
            }
        }
    }

    [Theory]
    [InlineData("context=service;proto-fd-mx=5", "unknown parameter 'proto-fd-mx' in context service; did you mean 'proto-fd-max'?")]
    [InlineData("context=service;batch-index-threads=257", "'batch-index-threads' is '257', which is out of range; allowed are 1 to 256")]
    [InlineData("context=service;log-millis=true", "'log-millis' is not dynamic")]
    [InlineData("context=service;transaction-queues=4", "unknown parameter")]
    [InlineData("context=service;query-priority=4", "'query-priority' is obsolete: it is ignored")]
    [InlineData("context=service;cluster-name=a b", "'cluster-name' is 'a b'; allowed are")]
    [InlineData("context=namespace;default-ttl=5", "missing 'namespace'")]
    [InlineData("context=namespace;id=nope;default-ttl=5", "unknown namespace 'nope'")]
    [InlineData("context=namespace;id=test;default-ttl=5x", "'default-ttl' is '5x', which is not a time")]
    [InlineData("context=namespace;id=test;memory-size=5", "'memory-size' is obsolete: use storage-engine memory")]
    [InlineData("context=namespace;id=test;set=a=b;default-ttl=5", "bad set name 'a=b'")]
    [InlineData("context=namespace;id=test;geo2dsphere-within.min-level=30", "min-level 30 is above max-level 20")]
    [InlineData("context=network;heartbeat.intervall=100", "unknown parameter 'heartbeat.intervall' in context network")]
    [InlineData("context=nowhere;a=1", "unknown context 'nowhere'; allowed are service, network, namespace, security, xdr")]
    [InlineData("proto-fd-max=5", "missing 'context'")]
    [InlineData("context=service", "no parameter is given")]
    [InlineData("context=service;proto-fd-max", "'proto-fd-max' is not 'name=value'")]
    [InlineData("", "no parameter is given")]
    public void A_bad_change_is_refused_with_the_reason(string request, string reason)
    {
        ConfigStore store = Store();
        string[] before = [.. Everything(store)];
        ConfigAnswer answer = store.Set(request);
        if (request.Contains("transaction-queues", StringComparison.Ordinal))
        {
            reason = "'transaction-queues' is obsolete"; // known under its old name
        }

        Assert.Equal(ResultCode.Parameter, answer.Code);
        Assert.StartsWith(reason, answer.Text);
        Assert.Equal(before, Everything(store));
    }

    [Fact]
    public void A_request_with_one_bad_value_changes_nothing()
    {
        ConfigStore store = Store();
        ServiceOptions before = store.Service.Current;
        Assert.NotEqual(ResultCode.Ok, store.Set("context=service;proto-fd-max=100;batch-index-threads=0").Code);
        Assert.Same(before, store.Service.Current);
        Assert.Equal(ResultCode.Ok, store.Set("context=service;proto-fd-max=100;batch-index-threads=3").Code);
        Assert.Equal((100, 3), (store.Service.Current.ProtoFdMax, store.Service.Current.BatchIndexThreads));
    }

    [Fact]
    public void Listeners_hear_of_a_change_with_the_old_and_the_new_options()
    {
        ConfigStore store = Store();
        List<(int Old, int New)> heard = [];
        LiveOptions<NamespaceOptions> test = store.Namespaces["test"];
        test.Changed += (old, next) => heard.Add((old.MaxRecordSize, next.MaxRecordSize));
        store.Service.Changed += (_, _) => Assert.Fail("nothing changed there");

        store.Set("context=namespace;id=test;max-record-size=2M");
        store.Set("context=namespace;id=test;max-record-size=nonsense");
        store.Set("context=namespace;id=bar;max-record-size=3M");
        Assert.Equal([(1 << 20, 2 << 20)], heard);
        Assert.Equal((2 << 20, 3 << 20), (test.Current.MaxRecordSize, store.Namespaces["bar"].Current.MaxRecordSize));
    }

    [Fact]
    public void A_set_that_is_configured_for_the_first_time_comes_into_being()
    {
        ConfigStore store = Store();
        Assert.Equal("ok", store.Set("context=namespace;id=test;set=new;stop-writes-count=1K").Text);
        Assert.Equal(1024, store.Namespaces["test"].Current.Sets["new"].StopWritesCount);
        Assert.Equal(5, store.Namespaces["test"].Current.Sets["users"].StopWritesCount);
    }

    [Fact]
    public void Readers_never_see_half_a_change()
    {
        ConfigStore store = Store();
        LiveOptions<NamespaceOptions> test = store.Namespaces["test"];
        store.Set("context=namespace;id=test;nsup-period=1;max-record-size=101");
        using Barrier start = new(2);
        Thread writer = new(() =>
        {
            start.SignalAndWait();
            for (int i = 2; i <= 2000; i++)
            {
                store.Set(string.Create(CultureInfo.InvariantCulture,
                    $"context=namespace;id=test;nsup-period={i};max-record-size={i + 100}"));
            }
        });
        writer.Start();
        start.SignalAndWait();
        NamespaceOptions seen;
        do
        {
            seen = test.Current;
            Assert.Equal(seen.NsupPeriodSeconds + 100, seen.MaxRecordSize);
        }
        while (seen.NsupPeriodSeconds < 2000);
        writer.Join();
    }

    private static ConfigStore Store(string more = "")
    {
        ConfigReport report = ConfigHarness.Conf(more + "namespace test {\n storage-engine memory {\n data-size 1G\n }\n set users {\n"
            + " stop-writes-count 5\n }\n}\nnamespace bar {\n storage-engine memory {\n data-size 1G\n }\n}\n"
            + "namespace through {\n storage-engine memory {\n file /data/through.dat\n filesize 1G\n }\n}\n"
            + "namespace disk {\n storage-engine device {\n file /data/disk.dat\n filesize 1G\n }\n}\n");
        Assert.Empty(report.Findings.Problems());
        return new ConfigStore(ConfigHarness.Table, report);
    }

    private static IEnumerable<string> Everything(ConfigStore store) =>
        [store.Get("").Text, store.Get("context=namespace;id=test").Text, store.Get("context=namespace;id=bar").Text];

    private static string[] Keys(ConfigStore store, string request) =>
        [.. store.Get(request).Text.Split(';').Select(pair => pair[..pair.IndexOf('=')])];

    private static Dictionary<string, string> Pairs(ConfigStore store, string request)
    {
        ConfigAnswer answer = store.Get(request);
        Assert.True(answer.Code == ResultCode.Ok, answer.Text);
        return answer.Text.Split(';').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
    }

    private static string? ContextOf(Parameter row) => row.Section switch
    {
        "service" when row.Name is not ("user" or "group" or "feature-key-file" or "feature-key-files") => "context=service",
        "network.heartbeat" or "network.fabric" or "network.service" when row.Type != ParameterType.List => "context=network",
        "namespaces" or "namespaces.geo2dsphere-within" => "context=namespace;id=test",
        "namespaces.storage-engine:memory" when row.Name == "flush-size" => "context=namespace;id=through", // needs something to flush to
        "namespaces.storage-engine:memory" when row.Type != ParameterType.List && row.Name is not "encryption" =>
            "context=namespace;id=test",
        "namespaces.storage-engine:device" when row.Type != ParameterType.List => "context=namespace;id=disk",
        "namespaces.sets" => "context=namespace;id=test;set=users",
        _ => null,
    };

    private static string KeyOf(Parameter row)
    {
        string section = row.Section[(row.Section.LastIndexOf('.') + 1)..].Split(':')[0];
        return row.Section is "service" or "namespaces" or "namespaces.sets" ? row.ConfName : $"{section}.{row.ConfName}";
    }

    private static string OptionsOf(ConfigStore store, Parameter row) => row.Section switch
    {
        "service" => store.Service.Current.ToString(),
        "namespaces.sets" => store.Namespaces["test"].Current.Sets["users"].ToString(),
        "namespaces.storage-engine:device" => store.Namespaces["disk"].Current.ToString(),
        "namespaces.storage-engine:memory" when row.Name == "flush-size" => store.Namespaces["through"].Current.ToString(),
        _ => store.Namespaces["test"].Current.ToString(),
    };

    /// A value that is allowed and not the present one.
    private static string Other(Parameter row, string now) => row.Type switch
    {
        ParameterType.Boolean => now == "true" ? "false" : "true",
        ParameterType.Integer => Next(row, now),
        _ when row.Allowed.Count > 0 => row.Allowed.First(choice => choice != now),
        _ => "something",
    };

    private static string Next(Parameter row, string now)
    {
        Int128 value = Int128.Parse(now, CultureInfo.InvariantCulture) + 1;
        return (value < row.Min || value > row.Max ? row.Min : value).ToString(CultureInfo.InvariantCulture);
    }
}
