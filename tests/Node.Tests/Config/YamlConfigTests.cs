using Aerie.Server.Config;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Config;

public sealed class YamlConfigTests
{
    private const string Yaml = """
        service:
          proto-fd-max: 20000
          cluster-name: "kites"
          feature-key-files: [/a, /b]
          node-id: ENV_NODE_ID
        logging:
          - name: console
            any: info
            rw-client: debug
          - name: /var/log/aerie.log
            any: warning
          - type: syslog
            facility: local3
            any: critical
        network:
          service:
            addresses:
              - 10.0.0.1
              - 10.0.0.2
            port: 3000
            access-addresses: [192.0.2.1]
          heartbeat:
            mode: mesh
            port: 3002
            mesh-seed-address-ports:
              - 10.0.0.2:3002
              - "[::1]:3002"
          metrics:
            port: 9145
          tls:
            - name: front
              cert-file: /etc/cert.pem
        mod-lua:
          user-path: /lua
        namespaces:
          - name: test
            default-ttl: 0
            nsup-period: 120
            index-type:
              type: shmem
            geo2dsphere-within:
              max-cells: 20
            storage-engine:
              type: memory
              data-size: 1073741824
            sets:
              - name: users
                stop-writes-count: 5
                disable-eviction: true
          - name: bar
            storage-engine:
              type: memory
              data-size: 2G
        """;

    private const string Conf = """
        service {
          proto-fd-max 20000
          cluster-name kites
          feature-key-file /a
          feature-key-file /b
          node-id ENV_NODE_ID
        }
        logging {
          console {
            context any info
            context rw-client debug
          }
          file /var/log/aerie.log {
            context any warning
          }
          syslog {
            facility local3
            context any critical
          }
        }
        network {
          service {
            address 10.0.0.1
            address 10.0.0.2
            port 3000
            access-address 192.0.2.1
          }
          heartbeat {
            mode mesh
            port 3002
            mesh-seed-address-port 10.0.0.2 3002
            mesh-seed-address-port ::1 3002
          }
          metrics {
            port 9145
          }
          tls front {
            cert-file /etc/cert.pem
          }
        }
        mod-lua {
          user-path /lua
        }
        namespace test {
          default-ttl 0
          nsup-period 120
          index-type shmem
          geo2dsphere-within {
            max-cells 20
          }
          storage-engine memory {
            data-size 1G
          }
          set users {
            stop-writes-count 5
            disable-eviction true
          }
        }
        namespace bar {
          storage-engine memory {
            data-size 2G
          }
        }
        """;

    private static readonly Dictionary<string, string> Environment = new() { ["NODE_ID"] = "a1" };

    [Fact, Evidence("CONF-02")]
    public void Both_forms_of_one_configuration_mean_the_same()
    {
        ConfigReport yaml = ConfigHarness.Yaml(Yaml, Environment);
        ConfigReport conf = ConfigHarness.Conf(Conf, Environment);
        Assert.Empty(yaml.Findings.Problems());
        Assert.Empty(conf.Findings.Problems());
        Assert.Equal(Dump(conf.Settings), Dump(yaml.Settings));
        Assert.Equal(0xa1ul, yaml.Options!.Service.NodeId);
    }

    [Fact, Evidence("CONF-02")]
    public void Every_row_means_the_same_in_both_forms()
    {
        List<string> failures = [];
        foreach (Parameter row in ConfigHarness.Table.Rows.Where(row =>
            row.Name is not ("name" or "type" or "index-type" or "feature-key-file")))
        {
            string value = row.Type switch
            {
                ParameterType.Boolean => "true",
                ParameterType.Integer => row.Max.ToString(),
                _ when row.Allowed.Count > 0 => row.Allowed[0] == "null" ? row.Allowed[1] : row.Allowed[0],
                _ => "something",
            };
            Settings conf = ConfigHarness.Read(ConfigHarness.Wrap(row, value)).Settings;
            Findings findings = new();
            ConfigNode tree = YamlConfig.Parse(WrapYaml(row, value), ConfigHarness.Table, Environment, findings);
            Settings yaml = SettingsReader.Read(tree, ConfigHarness.Table, findings);
            if (findings.HasProblems || Dump(conf) != Dump(yaml))
            {
                failures.Add($"{row.Section}.{row.Name}: {string.Join("; ", findings.InOrder().Problems())}\n{Dump(conf)}\n{Dump(yaml)}");
            }
        }

        Assert.Empty(failures);
    }

    [Theory]
    [InlineData("service:\n  proto-fd-mx: 5\n", "2: unknown parameter 'proto-fd-mx' in service; did you mean 'proto-fd-max'?")]
    [InlineData("service:\n  proto-fd-max: lots\n", "2: 'proto-fd-max' is 'lots', which is not a whole number")]
    [InlineData("service:\n  proto-fd-max:\n", "2: 'proto-fd-max' has no value")]
    [InlineData("service:\n  proto-fd-max: [{a: 1}]\n", "2: a plain value is expected under 'proto-fd-max'")]
    [InlineData("service:\n  - proto-fd-max: 1\n", "2: a map, not a list, is expected under 'service'")]
    [InlineData("namespaces:\n  - default-ttl: 5\n", "2: 'namespaces' needs 'name'")]
    [InlineData("namespaces:\n  - test\n", "2: a list of maps, each with 'name', is expected under 'namespaces'")]
    [InlineData("namespaces:\n  - name: a\n    storage-engine:\n      type: disk\n",
        "3: storage-engine is 'disk'; allowed are memory, device, pmem")]
    [InlineData("namespaces:\n  - name: a\n    storage-engine:\n      data-size: 1G\n", "3: 'storage-engine' needs 'type'")]
    [InlineData("logging:\n  - name: console\n    anyy: info\n", "3: unknown log context 'anyy'")]
    [InlineData("- a\n- b\n", "1: a map of sections is expected at the top")]
    [InlineData("service:\n  a: &x 1\n  b: *x\n", "3: not valid YAML: aliases are not allowed")]
    [InlineData("service:\n  a: b: c\n", "2: not valid YAML:")]
    [InlineData("service: {}\n---\nservice: {}\n", "2: only one YAML document is allowed")]
    [InlineData("? [a]\n: b\n", "1: not valid YAML: a name is expected")]
    [InlineData("service:\n  node-id: ENV_NOPE\n", "2: 'ENV_NOPE': the environment variable 'NOPE' is not set")]
    public void Mistakes_are_told_with_their_line(string yaml, string problem)
    {
        Assert.Contains(ConfigHarness.Yaml(yaml).Findings.Problems(), told => told.StartsWith(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Bombs_and_endless_nesting_end_quickly()
    {
        string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 30).Select(i =>
            $"{(char)('a' + (i % 26))}{i}: &n{i} [*a,*a,*a,*a,*a,*a,*a,*a]\n"));
        Assert.True(ConfigHarness.Yaml(bomb).HasProblems);
        Assert.True(ConfigHarness.Yaml(new string('[', 1_000_000)).HasProblems);
        Assert.True(ConfigHarness.Yaml(string.Concat(Enumerable.Repeat("a:\n", 1000).Select((line, i) =>
            new string(' ', i) + line))).HasProblems);
        Assert.True(ConfigHarness.Yaml(string.Concat(Enumerable.Repeat("- ", 100_000))).HasProblems);
        Assert.True(ConfigHarness.Yaml("a: [" + string.Concat(Enumerable.Repeat("b,", 20_000))).HasProblems);
        Assert.True(ConfigHarness.Yaml("a: \"" + new string('x', 1_000_000)).HasProblems);
        Assert.True(ConfigHarness.Yaml(string.Concat(Enumerable.Repeat("a: 1\n", 20_000))).HasProblems);
        Assert.Equal(["0: the file has 1048577 characters; allowed are 1048576"],
            ConfigHarness.Yaml(new string(' ', 1048577)).Findings.Problems());
    }

    [Fact]
    public void The_kind_of_a_file_shows_in_its_name()
    {
        Assert.Equal(ConfigKind.Yaml, ConfigCheck.KindOf("x/aerospike.YAML"));
        Assert.Equal(ConfigKind.Yaml, ConfigCheck.KindOf("a.yml"));
        Assert.Equal(ConfigKind.Conf, ConfigCheck.KindOf("aerospike.conf"));
        Assert.Equal(ConfigKind.Conf, ConfigCheck.KindOf("aerospike"));
    }

    /// The statement of ConfigHarness.Wrap in YAML: lists for what has a name, `type` for what has a kind.
    private static string WrapYaml(Parameter row, string value)
    {
        string yaml = "";
        string indent = "";
        string path = "";
        foreach (string part in row.Section.Split('.'))
        {
            if (part == "sink")
            {
                yaml += $"{indent}- name: {(row.Name is "facility" or "path" or "tag" ? "syslog" : "console")}\n";
                indent += "  ";
                continue;
            }

            string[] words = part.Split(':');
            SectionRule rule = SectionRules.ByYamlName(path, words[0])!;
            yaml += $"{indent}{rule.YamlName}:\n";
            indent += "  ";
            if (rule.Naming == SectionNaming.Named)
            {
                yaml += $"{indent}- name: one\n";
                indent += "  ";
            }
            else if (rule.Naming == SectionNaming.Kind)
            {
                yaml += $"{indent}type: {words[1]}\n";
            }

            path = rule.PathOf(words[^1]);
        }

        return yaml + $"{indent}{row.Name}: {(row.Type == ParameterType.List ? $"[{value}]" : value)}\n";
    }

    private static string Dump(Settings settings)
    {
        IEnumerable<string> values = settings.GivenNames.Order(StringComparer.Ordinal).Select(name =>
            $"{name}={string.Join('|', settings.List(name))}");
        return $"{settings.Path} {settings.Keyword} "
            + $"{settings.Name}({string.Join(',', values)}){{{string.Join(';', settings.Children.Select(Dump))}}}";
    }
}
