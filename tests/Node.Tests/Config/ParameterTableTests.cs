using System.Globalization;
using Aerie.Server.Config;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Config;

/// The whole table, row by row. A failure lists the rows.
public sealed class ParameterTableTests
{
    private static IEnumerable<Parameter> Statements =>
        ConfigHarness.Table.Rows.Where(row => row.Name is not ("name" or "type") && !(row.Name == "index-type" && row.IsCurrent));

    [Fact]
    public void The_table_has_all_579_rows_of_the_reference_and_a_few_more()
    {
        Assert.InRange(ConfigHarness.Table.Rows.Count, 579, 620);
        Assert.All(ConfigHarness.Table.Rows.Where(row => row.Status == ParameterStatus.Obsolete), row => Assert.NotEmpty(row.Note));
        Assert.All(ConfigHarness.Table.Rows.Where(row => row.Becomes.Length > 0), row =>
            Assert.True(ConfigHarness.Table.ByName(row.Section, row.Becomes)?.IsCurrent, row.Name));
    }

    [Fact]
    public void Rows_stand_in_the_order_in_which_tools_expect_them()
    {
        IEnumerable<string> order = ConfigHarness.Table.Rows.Select(row => $"{row.Section}\t{row.Name}");
        Assert.Equal(order.Order(StringComparer.Ordinal), order);
    }

    [Fact]
    public void Every_row_reads_its_default_its_limits_and_its_choices()
    {
        List<string> failures = [];
        foreach (Parameter row in Statements)
        {
            foreach (string value in GoodValues(row))
            {
                (Settings settings, IReadOnlyList<Finding> findings) = ConfigHarness.Read(ConfigHarness.Wrap(row, value));
                string expected = row.Name == "index-type" ? value : ConfigHarness.Innermost(settings).Text(NameRead(row));
                if (findings.Problems().Any() || expected != value)
                {
                    failures.Add($"{row.Section}.{row.Name} = {value}: {string.Join("; ", findings.Problems())}");
                }
            }
        }

        Assert.Empty(failures);
    }

    [Fact]
    public void Every_value_outside_the_range_is_refused_with_the_range()
    {
        List<string> failures = [];
        foreach (Parameter row in Statements.Where(row => row.Type == ParameterType.Integer))
        {
            foreach (Int128 value in new[] { row.Min - 1, row.Max + 1 })
            {
                string text = value.ToString(CultureInfo.InvariantCulture);
                string[] problems = [.. ConfigHarness.Read(ConfigHarness.Wrap(row, text)).Findings.Problems()];
                string min = row.Min.ToString(CultureInfo.InvariantCulture);
                string max = row.Max.ToString(CultureInfo.InvariantCulture);
                bool isTold = problems is [var problem] && problem.Contains(min, StringComparison.Ordinal)
                    && problem.Contains(max, StringComparison.Ordinal) && problem.Contains($"'{row.ConfName}'", StringComparison.Ordinal);
                if (text != row.Default && !isTold)
                {
                    failures.Add($"{row.Section}.{row.Name} = {text}: {string.Join("; ", problems)}");
                }
            }
        }

        Assert.Empty(failures);
    }

    [Fact]
    public void Every_wrong_choice_is_refused_with_the_choices()
    {
        foreach (Parameter row in Statements.Where(row => row.Allowed.Count > 0 || row.Type == ParameterType.Boolean))
        {
            string problem = Assert.Single(ConfigHarness.Read(ConfigHarness.Wrap(row, "qqqqqqqqqq")).Findings.Problems());
            string allowed = row.Allowed.Count > 0 ? string.Join(", ", row.Allowed) : "true, false";
            Assert.Contains(allowed, problem);
        }
    }

    [Fact]
    public void Old_names_warn_once_with_their_replacement_and_later_ones_say_so_quietly()
    {
        foreach (Parameter row in Statements.Where(row => row.Name != "index-type"))
        {
            string value = GoodValues(row).FirstOrDefault() ?? "1";
            string statement = ConfigHarness.Wrap(row, value);
            IReadOnlyList<Finding> findings = ConfigHarness.Read(statement).Findings;
            Finding[] about = [.. findings.Where(finding => finding.Text.Contains($"'{row.ConfName}'", StringComparison.Ordinal))];
            FindingKind? kind = row.Note.Length > 0 ? FindingKind.Warning
                : row.Status == ParameterStatus.Later ? FindingKind.Debug : null;
            Assert.True(about.Length == (kind == null ? 0 : 1),
                $"{row.Section}.{row.Name}: {string.Join("; ", about.Select(f => f.Text))}");
            Assert.All(about, finding => Assert.Equal(kind, finding.Kind));
            Assert.All(about, finding => Assert.Contains(row.Note, finding.Text));
        }
    }

    [Theory, Evidence("CONF-01")]
    [InlineData("namespaces", "default-ttl", "30d", "2592000")]
    [InlineData("namespaces", "default-ttl", "2H", "7200")]
    [InlineData("namespaces", "nsup-period", "5m", "300")]
    [InlineData("namespaces", "nsup-period", "120s", "120")]
    [InlineData("namespaces", "max-record-size", "8M", "8388608")]
    [InlineData("namespaces", "index-stage-size", "128m", "134217728")]
    [InlineData("namespaces.storage-engine:memory", "data-size", "4G", "4294967296")]
    [InlineData("namespaces.storage-engine:memory", "data-size", "1t", "1099511627776")]
    [InlineData("namespaces.sets", "stop-writes-size", "1P", "1125899906842624")]
    [InlineData("namespaces.sets", "default-read-touch-ttl-pct", "-1", "-1")]
    [InlineData("service", "proto-fd-max", "15k", "15360")]
    [InlineData("service", "advertise-ipv6", "YES", "true")]
    [InlineData("namespaces", "write-commit-level-override", "Master", "master")]
    public void Suffixes_and_spellings_come_to_one_normal_form(string section, string name, string written, string normal)
    {
        Parameter row = ConfigHarness.Table.ByName(section, name)!;
        (Settings settings, IReadOnlyList<Finding> findings) = ConfigHarness.Read(ConfigHarness.Wrap(row, written));
        Assert.Empty(findings.Problems());
        Assert.Equal(normal, ConfigHarness.Innermost(settings).Text(name));
    }

    [Theory]
    [InlineData("namespaces", "default-ttl", "4G")]
    [InlineData("namespaces", "default-ttl", "-")]
    [InlineData("namespaces", "default-ttl", "--1")]
    [InlineData("namespaces", "nsup-period", "1.5")]
    [InlineData("namespaces", "max-record-size", "1d")]
    [InlineData("namespaces", "max-record-size", "M")]
    [InlineData("service", "proto-fd-max", "99999999999999999999999999999999999999999999")]
    [InlineData("service", "proto-fd-max", "99999999999999999999P")]
    [InlineData("service", "proto-fd-max", "1 2")]
    [InlineData("service", "proto-fd-max", "")]
    [InlineData("service", "proto-fd-max", "0x10")]
    public void What_is_no_number_is_refused(string section, string name, string written)
    {
        Parameter row = ConfigHarness.Table.ByName(section, name)!;
        Assert.Contains("allowed are", Assert.Single(ConfigHarness.Read(ConfigHarness.Wrap(row, written)).Findings.Problems()));
    }

    private static IEnumerable<string> GoodValues(Parameter row) => row.Type switch
    {
        ParameterType.Boolean => ["true", "false"],
        ParameterType.Integer => new[] { row.Default, row.Min.ToString(CultureInfo.InvariantCulture),
            row.Max.ToString(CultureInfo.InvariantCulture) }.Distinct(),
        _ when row.Allowed.Count > 0 => row.Allowed,
        _ => [row.Default.Length > 0 ? row.Default : "something"],
    };

    /// The line of a list and an old single value share a name; the list takes it.
    private static string NameRead(Parameter row) => row.Name == "feature-key-file" ? "feature-key-files" : row.Name;
}
