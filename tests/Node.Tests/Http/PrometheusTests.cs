using System.Collections.Immutable;
using System.Net;
using System.Text.RegularExpressions;
using Aerie.Node.Tests.Info;
using Aerie.Server.Config;
using Aerie.Server.Http;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Http;

public sealed partial class PrometheusTests : IDisposable
{
    /// Dashboards' names of parts that do not exist yet, of releases before ours, and of what others than the node report.
    private static readonly Regex NotOurs = new(
        "^aerospike_(xdr|users|sindex|sysinfo)_|_range$|_ms$|_$|namespace_(memory|device|pmem|sindex|pseudo|roster|high_water"
        + "|index_(type|flash|mounts|pressure|pmem|local)|storage_engine_(file|device)|clientread|clientwrite|clienttsvc|partition|default)"
        + "|node_stats_(xdr_timelag|user_agent)"
        + "|sets_(memory|device)_data",
        RegexOptions.ExplicitCapture);

    private readonly InfoHarness _info = new();

    public void Dispose() => _info.Dispose();

    [Fact]
    public void The_page_is_sound_and_every_sample_has_its_type_and_labels()
    {
        Work();
        var metrics = Parse(Page());
        Assert.Equal("1", Assert.Single(metrics["aerospike_node_up"].Samples).Value);
        Assert.Contains("build=\"8.1.2.0\"", metrics["aerospike_node_up"].Samples[0].Labels, StringComparison.Ordinal);
        var write = Assert.Single(metrics["aerospike_namespace_client_write_success"].Samples);
        Assert.Equal("counter", metrics["aerospike_namespace_client_write_success"].Type);
        Assert.Equal("1", write.Value);
        Assert.Matches("^cluster_name=\"null\",ns=\"test\",service=\"[^\"]+\",storage_engine=\"memory\"$", write.Labels);
        Assert.Equal("gauge", metrics["aerospike_namespace_objects"].Type);
        Assert.Equal("0", metrics["aerospike_namespace_stop_writes"].Samples[0].Value);
        Assert.Matches("set=\"s\"", metrics["aerospike_sets_objects"].Samples[0].Labels);
        Assert.Contains(metrics["aerospike_namespace_storage_engine_stripe_used_bytes"].Samples,
            sample => sample.Labels.Contains("stripe_index=\"0\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Latencies_are_cumulative_buckets_up_to_infinity()
    {
        Work();
        var metrics = Parse(Page());
        var buckets = metrics["aerospike_latencies_write_ms_bucket"].Samples;
        Assert.Equal(18, buckets.Count);
        Assert.Contains(buckets, bucket => bucket.Labels.Contains("le=\"+Inf\"", StringComparison.Ordinal)
            && bucket.Value == metrics["aerospike_latencies_write_ms_count"].Samples[0].Value);
        Assert.DoesNotContain("aerospike_latencies_udf_ms_bucket", metrics.Keys);
    }

    [Fact]
    public void The_names_of_the_dashboards_are_there()
    {
        Work();
        var names = Parse(Page()).Keys.ToHashSet(StringComparer.Ordinal);
        var wanted = Facts.Lines("dashboard-metrics").Where(name => !NotOurs.IsMatch(name)).ToArray();
        var missing = wanted.Where(name => !names.Contains(name)).ToArray();
        TestContext.Current.TestOutputHelper?.WriteLine($"{wanted.Length - missing.Length} of {wanted.Length} names are there");
        Assert.Equal([], missing.Where(name => !NotInThisRelease.Contains(name)));
        Assert.True(wanted.Length > 200);
    }

    /// Names in dashboards that the reference's present release does not report either.
    private static readonly string[] NotInThisRelease =
    [
        "aerospike_namespace_batch_sub_udf_not_found", "aerospike_namespace_batch_sub_udf_success",
        "aerospike_namespace_batch_sub_write_not_found", "aerospike_namespace_stop_writes_pct",
        "aerospike_namespace_storage_engine_min_avail_pct",
    ];

    [Fact]
    public void A_set_named_by_a_joker_breaks_no_line()
    {
        var client = _info.Node.Connect();
        _info.Node.Ask(client, WireRequest.Put("k", "a", "x", set: "a\"}\n\\b").Bytes());
        Assert.Contains(Parse(Page())["aerospike_sets_objects"].Samples,
            sample => sample.Labels.Contains("set=\"a\\\"}\\n\\\\b\"", StringComparison.Ordinal));
        Assert.Equal(1, _info.AskRaw("sets\n"u8).Count(c => c == '\n'));
        client.Close();
        _info.Node.Settle();
    }

    [Fact]
    public async Task The_port_answers_metrics_and_probes_and_nothing_else()
    {
        using var server = new MetricsServer(new ListenOptions(["127.0.0.1"], 0, false), new PrometheusText(_info.Reporting.Sources),
            _info.Reporting.Health);
        server.Start();
        using var http = new HttpClient { BaseAddress = new Uri(server.Addresses.Single()), Timeout = TimeSpan.FromSeconds(20) };

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready: starting\n"), await Ask(http, "/health/ready"));
        _info.Reporting.Health.Serving();
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await Ask(http, "/health/ready"));
        _info.Node.Node.Namespaces.All[0].StopWrites = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Ask(http, "/health/ready")).Status);
        _info.Reporting.Health.Draining();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready: draining\n"), await Ask(http, "/health/ready"));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await Ask(http, "/health/live"));
        Assert.Equal(HttpStatusCode.NotFound, (await Ask(http, "/etc/passwd")).Status);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.PostAsync(new Uri("/metrics", UriKind.Relative), new StringContent("")))
            .StatusCode);
        var metrics = await http.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal("text/plain", metrics.Content.Headers.ContentType?.MediaType);
        Parse(await metrics.Content.ReadAsStringAsync());
    }

    [Fact]
    public void A_port_in_use_is_one_clear_line()
    {
        var sources = new PrometheusText(_info.Reporting.Sources);
        using var first = new MetricsServer(new ListenOptions(["127.0.0.1"], 0, false), sources, _info.Reporting.Health);
        first.Start();
        var port = new Uri(first.Addresses.Single()).Port;
        using var second = new MetricsServer(new ListenOptions(["127.0.0.1"], port, false), sources, _info.Reporting.Health);
        Assert.Contains($":{port}", Assert.Throws<IOException>(second.Start).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_nobody_knows_is_one_clear_line()
    {
        var sources = new PrometheusText(_info.Reporting.Sources);
        var where = new ListenOptions([new string('x', 300)], 0, false);
        Assert.Contains("metrics port", Assert.Throws<IOException>(() => new MetricsServer(where, sources, _info.Reporting.Health)).Message,
            StringComparison.Ordinal);
    }

    private void Work()
    {
        var client = _info.Node.Connect();
        _info.Node.Ask(client, WireRequest.Put("k", "a", "x").Bytes());
        _info.Node.Ask(client, WireRequest.Get("k").Bytes());
        client.Close();
        _info.Node.Settle();
        _info.Node.Clock.Advance(TimeSpan.FromSeconds(10));
        _info.Reporting.Ticker.Tick();
    }

    private string Page() => new PrometheusText(_info.Reporting.Sources).Write();

    private static async Task<(HttpStatusCode Status, string Text)> Ask(HttpClient http, string path)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    // The rules of the format: a type line before a metric's samples, all of them together, no sample twice.
    private static Dictionary<string, Metric> Parse(string page)
    {
        Assert.EndsWith("\n", page, StringComparison.Ordinal);
        var metrics = new Dictionary<string, Metric>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        Metric? current = null;
        foreach (var line in page[..^1].Split('\n'))
        {
            if (TypeLine().Match(line) is { Success: true } type)
            {
                current = new Metric(type.Groups[1].Value, type.Groups[2].Value, []);
                Assert.True(metrics.TryAdd(current.Name, current), line);
                continue;
            }

            var sample = SampleLine().Match(line);
            Assert.True(sample.Success, line);
            Assert.Equal(current?.Name, sample.Groups[1].Value);
            Assert.True(seen.Add(line[..line.LastIndexOf(' ')]), line);
            current!.Samples.Add((sample.Groups[2].Value, sample.Groups[3].Value));
        }

        return metrics;
    }

    private sealed record Metric(string Name, string Type, List<(string Labels, string Value)> Samples);

    [GeneratedRegex("^# TYPE ([a-z_][a-z0-9_]*) (counter|gauge)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^([a-z_][a-z0-9_]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (-?[0-9.]+(?:E[+-]?[0-9]+)?)$""")]
    private static partial Regex SampleLine();
}
