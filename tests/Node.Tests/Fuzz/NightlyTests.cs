using System.Text.RegularExpressions;
using Aerie.Fuzz;
using Aerie.Node.Tests.Architecture;
using Xunit;

namespace Aerie.Node.Tests.Fuzz;

/// The script of the long runs asks the fuzzer for its parsers, so none is forgotten. What it says by name must exist.
public sealed partial class NightlyTests
{
    private static readonly string Script = File.ReadAllText(Path.Combine(Repository.Root, "build/test.sh"));

    [Fact]
    public void Every_parser_that_is_fuzzed_longer_exists_and_all_are_asked_for()
    {
        Assert.Contains("in $(artifacts/bin/Aerie.Fuzz/release/Aerie.Fuzz targets)", Script);
        var longer = LongerTargets().Match(Script).Groups["names"].Value.Split(" | ");
        Assert.Equal(["bits", "cdt", "expressions", "geo", "hll", "packed", "udf"], longer);
        Assert.Subset(FuzzTargets.All.Keys.ToHashSet(), longer.ToHashSet());
    }

    [Fact]
    public void Every_parser_has_seeds() => Assert.All(FuzzTargets.All.Keys, target =>
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(Repository.Root, "tests/Fuzz/corpus", target))));

    /// A filter that matches nothing would be a green run of no tests.
    [Fact]
    public void What_the_long_runs_filter_by_is_the_name_of_test_classes()
    {
        var filters = Filters().Matches(Script).Select(match => match.Groups["name"].Value).ToList();
        Assert.Equal(["ModelTests", "CollectionTests"], filters);
        var classes = typeof(NightlyTests).Assembly.GetTypes().Select(type => type.Name).ToList();
        Assert.All(filters, filter => Assert.Contains(classes, name => name.Contains(filter, StringComparison.Ordinal)));
    }

    /// Each of them says how many sequences it takes by one variable; one that did not would stay at its few.
    [Fact]
    public void All_tests_beside_a_model_take_as_many_sequences_as_they_are_told() => Assert.All(
        Repository.Files("tests/Node.Tests", ".cs").Where(file => file.Path.EndsWith("ModelTests.cs", StringComparison.Ordinal)),
        file => Assert.Matches("ModelRuns.Hold|AERIE_MODEL_SEQUENCES", file.Text));

    [GeneratedRegex(@"^\s+(?<names>\w+( \| \w+)+)\) inputs=20000000 ;;", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex LongerTargets();

    [GeneratedRegex(@"run \S+ xunit \S+ (?<name>\w+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Filters();
}
