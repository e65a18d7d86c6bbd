using Xunit;

namespace Aerie.Node.Tests.Architecture;

/// Each rule on one good and one bad sample: a rule that cannot fail protects nothing.
public sealed class TidyRulesTests
{
    [Fact]
    public void A_file_of_601_lines_is_too_long()
    {
        Assert.Empty(TidyRules.FileLength(Sample(Repeat("// x\n", 600))));
        Assert.Single(TidyRules.FileLength(Sample(Repeat("// x\n", 601))));
    }

    [Theory, InlineData(66, 0), InlineData(67, 1)]
    public void A_method_of_71_lines_is_too_long(int statements, int complaints)
    {
        var source = "class C\n{\n    void M(\n        int a)\n    {\n" + Repeat("        a++;\n", statements) + "    }\n}\n";
        Assert.Equal(complaints, TidyRules.MethodLength(Sample(source)).Count());
    }

    [Fact]
    public void A_long_switch_expression_counts_as_its_method()
    {
        var source = "class C\n{\n    int M(int a) => a switch\n    {\n" + Repeat("        1 => 2,\n", 80) + "    };\n}\n";
        Assert.Contains("M has 83 lines", Assert.Single(TidyRules.MethodLength(Sample(source))));
    }

    [Theory]
    [InlineData("internal ref struct C(int a, int b = 1)", 0)]
    [InlineData("[Sample(1), Other]\npublic sealed partial class C<T>(T a, bool b = true) : Base(a) where T : struct", 0)]
    [InlineData("public readonly record struct C(int A = 0)", 0)]
    [InlineData("private static void M<T>(T a, int b = 1) where T : class", 1)]
    [InlineData("private static T M<T>(T a) where T : struct", 1)]
    public void A_type_with_a_primary_constructor_is_no_method(string header, int complaints)
    {
        var block = "class Outer\n{\n" + header + "\n{\n" + Repeat("    int f;\n", 80) + "}\n}\n";
        Assert.Equal(complaints, TidyRules.MethodLength(Sample(block)).Count());
    }

    [Fact]
    public void Braces_in_literals_and_tables_in_fields_are_no_methods()
    {
        var source = """"
            class C
            {
                private const string Open = "{ { {"; // {
                private const char Brace = '{';
                private static readonly string Raw = """
                    { " {
                    """;
                private static readonly Dictionary<int, int> Table = new() {

            """" + Repeat("        [1] = 2,\n", 90) + "    };\n    int P { get; }\n}\n";
        Assert.Empty(TidyRules.MethodLength(Sample(source)));
        Assert.Equal(["P"], Members.Of(Sample(source)).Select(member => member.Name));
    }

    [Fact]
    public void A_line_of_141_characters_is_too_long()
    {
        Assert.Empty(TidyRules.LineLength(Sample(new string('x', 140))));
        Assert.Equal(["sample.cs:2: longer than 140 characters"], TidyRules.LineLength(Sample("\n" + new string('x', 141))));
    }

    [Theory, InlineData("int a; \n"), InlineData("int a;\t\n"), InlineData("int a;\r\n")]
    public void White_space_at_the_end_of_a_line_is_found(string source) => Assert.Single(TidyRules.TrailingWhitespace(Sample(source)));

    [Fact]
    public void A_last_line_without_end_is_found() => Assert.Single(TidyRules.EndOfFile(Sample("int a;")));

    [Fact]
    public void Reminders_are_found()
    {
        Assert.Single(TidyRules.NoReminders(Sample("// TO" + "DO: later\n")));
        Assert.Empty(TidyRules.NoReminders(Sample("var mastodon = Method();\n")));
    }

    [Theory]
    [InlineData("var file = \"/ho" + "me/ann/x\";", 1)]
    [InlineData("see /wo" + "rk/shared", 1)]
    [InlineData("a/wo" + "rk/b and https://x.example/ho" + "me/", 0)]
    public void Paths_of_a_machine_are_found(string source, int complaints) =>
        Assert.Equal(complaints, TidyRules.NoMachinePaths(Sample(source)).Count());

    [Theory]
    [InlineData("throw new NotImplementedException();", 1)]
    [InlineData("#region x", 1)]
    [InlineData("// NotImplementedException in a comment", 0)]
    public void Unfinished_code_is_found(string source, int complaints) =>
        Assert.Equal(complaints, TidyRules.NoUnfinishedCode(Sample(source)).Count());

    [Theory]
    [InlineData("await Task.Delay(5);", 1)]
    [InlineData("Thread.Sleep(5);", 1)]
    [InlineData("var text = \"Thread.Sleep(5)\";", 0)]
    public void Waiting_by_time_is_found(string source, int complaints) =>
        Assert.Equal(complaints, TidyRules.NoWaitingByTime(Sample(source)).Count());

    [Fact]
    public void Summary_tags_are_found() => Assert.Single(TidyRules.NoSummaryTags(Sample("    /// <summary>\n")));

    [Fact]
    public void A_dead_link_is_found()
    {
        var document = new SourceFile("docs/a.md", "[here](b.md#part), [web](https://example.org), [up](../README.md), [gone](c.md)");
        var complaints = TidyRules.LinksResolve(document, path => path is "docs/b.md" or "docs/../README.md");
        Assert.Equal(["docs/a.md:1: the link to c.md leads nowhere"], complaints);
    }

    private static SourceFile Sample(string text) => new("sample.cs", text);

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
