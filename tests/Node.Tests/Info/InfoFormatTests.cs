using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Aerie.Foundation;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Info;

/// Each reply in the form in which clients and tools take it apart.
public sealed class InfoFormatTests : IDisposable
{
    private readonly InfoHarness _info = new("""
        service {
            # loops
            cluster-name mine
        }
        network {
            service {
                port 3000
                access-address 192.0.2.7
                access-address 2001:db8::7
                alternate-access-address 198.51.100.7
                alternate-access-port 3100
            }
            admin {
                port 3008
            }
        }
        namespace test {
            nsup-period 10
            storage-engine memory {
                data-size 128M
            }
        }
        namespace bar {
            rack-id 7
            storage-engine memory {
                data-size 128M
            }
        }
        """);

    public void Dispose() => _info.Dispose();

    [Theory]
    [InlineData("build", "^8\\.1\\.2\\.0$")]
    [InlineData("node", "^[0-9A-F]{1,16}$")]
    [InlineData("partition-generation", "^[0-9]+$")]
    [InlineData("peers-generation", "^[0-9]+$")]
    [InlineData("rebalance-generation", "^[0-9]+$")]
    [InlineData("cluster-name", "^mine$")]
    [InlineData("peers-clear-std", "^[0-9]+,3000,\\[\\]$")]
    [InlineData("peers-clear-alt", "^[0-9]+,3000,\\[\\]$")]
    [InlineData("peers-tls-std", "^[0-9]+,3000,\\[\\]$")]
    [InlineData("peers-tls-alt", "^[0-9]+,3000,\\[\\]$")]
    [InlineData("alumni-clear-std", "^[0-9]+,3000,\\[\\]$")]
    [InlineData("service-clear-std", "^192\\.0\\.2\\.7:3000,\\[2001:db8::7\\]:3000$")]
    [InlineData("service", "^192\\.0\\.2\\.7:3000,\\[2001:db8::7\\]:3000$")]
    [InlineData("service-clear-alt", "^198\\.51\\.100\\.7:3100$")]
    [InlineData("service-tls-std", "^$")]
    [InlineData("admin-clear-std", ":3008$")]
    [InlineData("services", "^$")]
    [InlineData("rack-ids", "^bar:7;test:0$")]
    [InlineData("racks:namespace=bar", "^ns=bar:rack_7=[0-9A-F]+$")]
    [InlineData("cluster-stable:size=1;ignore-migrations=true;namespace=test", "^[0-9A-F]{1,12}$")]
    [InlineData("cluster-stable:size=2", "^ERROR::cluster-not-specified-size$")]
    [InlineData("cluster-stable:namespace=none", "^ERROR::unknown-namespace$")]
    [InlineData("namespaces", "^bar;test$")]
    [InlineData("sindex-list:namespace=test", "^$")]
    [InlineData("sindex-exists:namespace=test;indexname=i", "^false$")]
    [InlineData("sindex-stat:namespace=test;indexname=i", "^ERROR:201:no index$")]
    [InlineData("sindex-create:namespace=test;indexname=i;set=s;bin=b;type=numeric", "^ERROR:16:")]
    [InlineData("udf-list", "^$")]
    [InlineData("query-show", "^$")]
    [InlineData("query-show:trid=7", "^ERROR:2:")]
    [InlineData("query-abort:trid=7", "^ERROR:2:trid not active$")]
    [InlineData("scan-abort:id=0x7", "^ERROR:2:trid not active$")]
    [InlineData("query-abort-all:", "^OK - number of queries killed: 0$")]
    [InlineData("scan-abort-all:", "^OK - number of scans killed: 0$")]
    [InlineData("jobs:module=query", "^$")]
    [InlineData("jobs:module=query;cmd=kill-job;trid=7", "^ERROR:2:")]
    [InlineData("roster:namespace=test", "^ns=test:roster=null:pending_roster=null:observed_nodes=null$")]
    [InlineData("best-practices", "^failed_best_practices=none$")]
    [InlineData("health-outliers", "^$")]
    [InlineData("connection", "^admin=false$")]
    [InlineData("release", "^edition=[^;]+;version=8\\.1\\.2\\.0;os=linux;arch=[^;]+;sha=[^;]+;ee-sha=[^;]+$")]
    [InlineData("recluster:", "^ok$")]
    [InlineData("tip-clear:", "^ok$")]
    [InlineData("logs", "^0:list$")]
    [InlineData("log-message:message=hello", "^ok$")]
    [InlineData("latencies:hist={test}-proxy", "^{test}-proxy:$")]
    [InlineData("latencies:hist={none}-proxy", "^ERROR:4:")]
    [InlineData("latencies:hist={test}-benchmarks-read", "^{test}-benchmarks-read:$")]
    [InlineData("namespace/none", "^ERROR:20:")]
    [InlineData("sets/none", "^ERROR:20:")]
    [InlineData("sets", "^$")]
    [InlineData("histogram:namespace=test;type=nonsense", "^ERROR:4:bad type$")]
    [InlineData("get-config:context=nonsense", "^ERROR:4:")]
    [InlineData("bins/test", "^ERROR:4:unrecognized command$")]
    [InlineData("latency:", "^ERROR:4:unrecognized command$")]
    public void A_command_answers_in_its_form(string command, string form) => Assert.Matches(form, _info.Ask(command));

    [Fact]
    public void The_bitmaps_say_that_every_partition_is_here()
    {
        foreach (var row in _info.Ask("replicas").Split(';'))
        {
            var parts = row[(row.IndexOf(':') + 1)..].Split(',');
            Assert.Equal(["0", "1"], parts[..2]);
            Assert.Equal(3, parts.Length);
            Assert.All(Bitmap(parts[2]), bits => Assert.Equal(0xFF, bits));
        }

        Assert.All(_info.Ask("replicas-master").Split(';'), row => Assert.Equal(512, Bitmap(row[(row.IndexOf(':') + 1)..]).Length));
        Assert.All(_info.Ask("replicas-all").Split(';'), row => Assert.Equal("1", row[(row.IndexOf(':') + 1)..].Split(',')[0]));
    }

    [Fact]
    public void The_partition_table_has_a_row_for_every_partition_under_its_18_columns()
    {
        var rows = _info.Ask("partition-info").Split(';');
        Assert.Equal(1 + (2 * Digest.PartitionCount), rows.Length);
        Assert.All(rows, row => Assert.Equal(18, row.Split(':').Length));
    }

    [Fact]
    public void A_set_and_its_namespace_count_the_same_records()
    {
        var client = _info.Node.Connect();
        for (var i = 0; i < 20; i++)
        {
            _info.Node.Ask(client, WireRequest.Put($"k{i}", "a", "x", set: "people").Bytes());
        }

        var set = InfoHarness.Pairs(_info.Ask("sets/test/people").TrimEnd(';'), ':');
        var records = _info.AskPairs("namespace/test");
        Assert.Equal("20", set["objects"]);
        Assert.Equal("20", records["objects"]);
        Assert.Equal("20", records["master_objects"]);
        Assert.Equal("20", records["client_write_success"]);
        Assert.Equal(records["data_used_bytes"], set["data_used_bytes"]);
        Assert.True(long.Parse(records["index_used_bytes"], CultureInfo.InvariantCulture) > 0);
        Assert.Equal("128", $"{long.Parse(records["data_total_bytes"], CultureInfo.InvariantCulture) >> 20}");
        Assert.Equal("1", _info.AskPairs("statistics")["client_connections"]);
        Assert.Equal("20", _info.AskPairs("statistics")["objects"]);
        client.Close();
        _info.Node.Settle();
        Assert.Equal("0", _info.AskPairs("statistics")["client_connections"]);
    }

    [Theory]
    [InlineData("truncate:namespace=test;set=people", "", 0)]
    [InlineData("truncate-namespace:namespace=test", "", 0)]
    [InlineData("truncate:namespace=test", "", 0)]
    [InlineData("truncate:namespace=test;set=people", "before", 1)]
    [InlineData("truncate:namespace=test;set=others", "", 1)]
    public void A_truncation_cuts_what_is_older_than_its_time(string command, string lut, int left)
    {
        var client = _info.Node.Connect();
        var before = _info.Node.Clock.UnixMilliseconds - 10;
        _info.Node.Ask(client, WireRequest.Put("k", "a", "x", set: "people").Bytes());
        var asked = lut.Length == 0 ? command : $"{command};lut={before}000000";

        Assert.Equal("ok", _info.Ask(asked));

        Assert.Equal(left == 1 ? ResultCode.Ok : ResultCode.NotFound, ReadK(client));
        _info.Node.Ask(client, WireRequest.Put("k", "a", "y", set: "people").Bytes());
        Assert.Equal(ResultCode.Ok, ReadK(client)); // what is written after a truncation stays, also in the same millisecond
        client.Close();
        _info.Node.Settle();
    }

    [Theory]
    [InlineData("truncate:namespace=none;set=s", "ERROR:20:")]
    [InlineData("truncate:namespace=test;set=s;lut=x", "ERROR:4:bad lut")]
    [InlineData("truncate:namespace=test;set=s;lut=99999999999999999999", "ERROR:4:bad lut")]
    [InlineData("truncate-namespace:namespace=test;lut=4000000000000000000", "ERROR:4:lut is in the future")]
    public void A_truncation_that_makes_no_sense_is_refused(string command, string answer) =>
        Assert.StartsWith(answer, _info.Ask(command), StringComparison.Ordinal);

    [Fact]
    public void A_truncation_can_be_taken_back_while_the_records_are_there()
    {
        var client = _info.Node.Connect();
        _info.Node.Ask(client, WireRequest.Put("k", "a", "x", set: "people").Bytes());
        _info.Ask("truncate:namespace=test;set=people");
        Assert.NotEqual("0", InfoHarness.Pairs(_info.Ask("sets/test/people").TrimEnd(';'), ':')["truncate_lut"]);
        _info.Ask("truncate-undo:namespace=test;set=people");
        Assert.Equal(ResultCode.Ok, ReadK(client));
        client.Close();
        _info.Node.Settle();
    }

    [Fact]
    public void Configuration_changes_through_info_and_says_so_in_the_log()
    {
        Assert.Equal("ok", _info.Ask("set-config:context=namespace;id=test;default-ttl=77"));
        Assert.Equal("77", _info.AskPairs("get-config:context=namespace;namespace=test")["default-ttl"]);
        Assert.Equal("77", _info.AskPairs("namespace/test")["default-ttl"]);
        Assert.StartsWith("ERROR:4:", _info.Ask("set-config:context=service;no-such=1"), StringComparison.Ordinal);
        _info.Log.Flush();
        Assert.Contains(_info.Sink.Lines, line => line.Contains("INFO (config): config-set: context=namespace;id=test;default-ttl=77",
            StringComparison.Ordinal));
    }

    [Fact]
    public void Clients_names_are_remembered()
    {
        var name = Convert.ToBase64String(Encoding.UTF8.GetBytes("1,go-8.0,app"));
        Assert.Equal("ok", _info.Ask($"user-agent-set:value={name}"));
        Assert.Equal("ok", _info.Ask($"user-agent-set:value={name}"));
        Assert.Equal($"user-agent={name}:count=2", _info.Ask("user-agents"));
        Assert.StartsWith("ERROR:4:", _info.Ask("user-agent-set:value=%%%"), StringComparison.Ordinal);
    }

    [Fact]
    public void Our_own_figures_name_every_loop()
    {
        var own = _info.AskPairs("aerie-stats");
        Assert.All(["gc_allocated_bytes", "gc_collections", "process_rss_bytes", "loop[0].turns", "loop[0].receives",
            "loop[0].buffer_bytes"],
            key => Assert.Contains(key, own.Keys));
    }

    [Fact]
    public void Lives_and_sizes_are_known_once_the_index_was_swept()
    {
        Assert.Equal("ERROR:11:hist-unavailable", _info.Ask("histogram:namespace=test;type=ttl"));
        var client = _info.Node.Connect();
        _info.Node.Ask(client, WireRequest.Put("k", "a", "x").Ttl(1000).Bytes());
        _info.Node.Ask(client, WireRequest.Put("j", "a", "x").Bytes());
        _info.Reporting.Ticker.Tick();

        var ttl = InfoHarness.Pairs(_info.Ask("histogram:namespace=test;type=ttl"), ':');
        Assert.Equal("seconds", ttl["units"]);
        Assert.Equal(100, ttl["buckets"].Split(',').Length);
        Assert.StartsWith("1,0,", ttl["buckets"], StringComparison.Ordinal);
        Assert.Matches(new Regex("^units=bytes:\\[\\d+-\\d+\\)=2$"), _info.Ask("histogram:namespace=test;type=object-size"));
        var linear = InfoHarness.Pairs(_info.Ask("histogram:namespace=test;type=object-size-linear"), ':');
        Assert.Equal(1024, linear["buckets"].Split(',').Length);
        client.Close();
        _info.Node.Settle();
    }

    private ResultCode ReadK(SimulatedPeer client) =>
        (ResultCode)_info.Node.Ask(client, WireRequest.Get("k", set: "people").Bytes())[13];

    private static byte[] Bitmap(string base64)
    {
        var bitmap = Convert.FromBase64String(base64);
        Assert.Equal(Digest.PartitionCount / 8, bitmap.Length);
        return bitmap;
    }
}
