using Aerie.Server.Config;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Config;

public sealed class ConfigParserTests
{
    [Fact, Evidence("CONF-01")]
    public void Sections_nest_and_every_statement_knows_its_line()
    {
        ConfigNode root = Parse("service {\n  proto-fd-max 5 # five\n}\n\nnamespace test {\n  storage-engine memory {\n    data-size "
            + "1G\n  }\n}\n");

        Assert.Equal(["service", "namespace"], root.Children!.Select(node => node.Name));
        ConfigNode limit = Assert.Single(root.Children![0].Children!);
        Assert.Equal(("proto-fd-max", "5", 2), (limit.Name, limit.Values[0], limit.Line));
        ConfigNode engine = Assert.Single(root.Children[1].Children!);
        Assert.Equal(("storage-engine", "memory", 6), (engine.Name, engine.Values[0], engine.Line));
        Assert.Equal(7, engine.Children![0].Line);
    }

    [Theory]
    [InlineData("network { info { port 3003 } }")]
    [InlineData("network{\n info{\n port 3003\n }\n}")]
    [InlineData("network {\r\n\tinfo {\r\n\t\tport\t3003 #x\r\n\t}\r\n}\r\n")]
    [InlineData("\uFEFF# first\nnetwork { # second {\n info { port 3003\n } }")]
    public void Braces_may_stand_on_one_line_or_on_many(string text)
    {
        ConfigNode info = Assert.Single(Assert.Single(Parse(text).Children!).Children!);
        Assert.Equal(("port", "3003"), (info.Children![0].Name, info.Children[0].Values[0]));
    }

    [Fact]
    public void A_brace_inside_a_value_is_a_part_of_the_value()
    {
        ConfigNode ldap = Parse("ldap {\n user-query-pattern (uid=${un})\n user-dn-pattern ${un}\n}").Children![0];
        Assert.Equal(["(uid=${un})", "${un}"], ldap.Children!.Select(node => node.Values[0]));
    }

    [Theory]
    [InlineData("service {\n", "1: section 'service' is never closed: '}' is missing")]
    [InlineData("service {\n}\n}\n", "3: '}' closes no section")]
    [InlineData("service\n{\n}\n", "2: '{' without a name before it; write 'name {' on one line")]
    [InlineData("a { b { c { d { e { f { g { h {\ni {\n} } } } } } } } }", "2: sections are nested deeper than 8")]
    public void Broken_structure_is_told_with_its_line(string text, string problem)
    {
        Findings findings = new();
        ConfigParser.Parse(text, new Dictionary<string, string>(), findings);
        Assert.Contains(problem, findings.InOrder().Problems());
    }

    [Fact]
    public void A_line_may_have_1024_characters_and_no_more()
    {
        string comment = new('x', ConfigParser.LineLengthMax - 2);
        Parse($"# {comment}");

        Findings findings = new();
        ConfigParser.Parse($"\n# {comment}x\n", new Dictionary<string, string>(), findings);
        Assert.Equal(["2: the line has 1025 characters; allowed are 1024"], findings.InOrder().Problems());
    }

    [Fact]
    public void Placeholders_take_their_values_from_the_environment_given()
    {
        Dictionary<string, string> environment = new() { ["NODE_ID"] = "a1", ["SIZE"] = "2G", ["NESTED"] = "ENV_SIZE } {" };
        Findings findings = new();
        ConfigNode root = ConfigParser.Parse(
            "node-id ENV_NODE_ID\ncluster-name x-ENV_NODE_ID-ENV_SIZE\nuser ENV_NESTED\nnamespace ENV_NODE_ID {\n}", environment, findings);

        Assert.Empty(findings.InOrder());
        Assert.Equal(["a1", "x-a1-2G", "ENV_SIZE } {", "a1"], root.Children!.Select(node => node.Values[0]));
    }

    [Fact]
    public void A_placeholder_without_a_variable_is_one_clear_problem()
    {
        ConfigReport report = ConfigHarness.Conf("service {\n  node-id ENV_NODE_ID\n}\nnamespace test {\n}\n");
        Assert.Equal(["2: 'ENV_NODE_ID': the environment variable 'NODE_ID' is not set"], report.Findings.Problems());
    }

    private static ConfigNode Parse(string text)
    {
        Findings findings = new();
        ConfigNode root = ConfigParser.Parse(text, new Dictionary<string, string>(), findings);
        Assert.Empty(findings.InOrder());
        return root;
    }
}
