using System.Reflection;
using System.Text.RegularExpressions;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Architecture;

/// Joins docs/COMPATIBILITY.md with the tests that carry its ids. A requirement without evidence is counted and listed,
/// not an error: the list is the honest state of the promise. An id that the document does not know is an error.
public sealed partial class EvidenceReport(ITestOutputHelper output)
{
    private const string Document = "docs/COMPATIBILITY.md";
    private const string WireEvidence = "tests/Wire.Tests/evidence.tsv";

    [Fact]
    public void Every_id_of_a_test_is_in_the_document_and_gaps_are_counted()
    {
        var requirements = RequirementsOf(Read(Document)).ToList();
        var evidence = EvidenceOfTests().Concat(EvidenceOfWireTests(Read(WireEvidence))).ToList();

        var report = Report(requirements, evidence.Select(each => each.Id).ToHashSet());
        output.WriteLine(report);
        Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts"));
        File.WriteAllText(Path.Combine(Repository.Root, "artifacts/evidence.txt"), report);

        var unknown = Unknown(requirements, evidence).ToList();
        Assert.True(unknown.Count == 0, string.Join('\n', unknown));
    }

    [Fact]
    public void Ids_of_the_document_are_unique_and_well_formed()
    {
        var ids = RequirementsOf(Read(Document)).Select(requirement => requirement.Id).ToList();
        Assert.NotEmpty(ids);
        Assert.All(ids, id => Assert.Matches(WellFormed(), id));
        Assert.Equal(ids.Distinct(), ids);
    }

    [Fact]
    public void Evidence_of_the_official_suite_names_files_that_are_run()
    {
        var run = Read("tests/Wire.Tests/files.json");
        var named = EvidenceOfWireTests(Read(WireEvidence)).Select(each => each.Where).Distinct();
        Assert.All(named, file => Assert.Contains($"\"{file}\"", run));
    }

    [Fact]
    public void An_unknown_id_is_found()
    {
        Requirement[] requirements = [new("REC-GET-01", "…", "now")];
        Assert.Equal(["ATest: unknown id REC-GET-99"], Unknown(requirements, [("REC-GET-01", "A"), ("REC-GET-99", "ATest")]));
    }

    [Fact]
    public void A_gap_is_reported()
    {
        const string table = """
            | Id | Requirement | Status |
            |---|---|---|
            | A-01 | One. | now |
            | A-02 | Two. | now |
            | A-03 | Three. | later |

            """;
        var report = Report([.. RequirementsOf(table)], new HashSet<string> { "A-01" });
        Assert.StartsWith("1 of 2 requirements have evidence, 1 more come later", report);
        Assert.Contains("A-02 Two.", report);
        Assert.DoesNotContain("A-01", report);
    }

    private static string Report(IReadOnlyList<Requirement> requirements, HashSet<string> proved)
    {
        var promised = requirements.Where(requirement => requirement.Status == "now").ToList();
        var gaps = promised.Where(requirement => !proved.Contains(requirement.Id)).ToList();
        var head = $"{promised.Count - gaps.Count} of {promised.Count} requirements have evidence, "
            + $"{requirements.Count - promised.Count} more come later";
        return string.Join('\n', gaps.Select(gap => $"  without: {gap.Id} {gap.Sentence}").Prepend(head)) + "\n";
    }

    private static IEnumerable<string> Unknown(IEnumerable<Requirement> requirements, IEnumerable<(string Id, string Where)> evidence)
    {
        var known = requirements.Select(requirement => requirement.Id).ToHashSet();
        return evidence.Where(each => !known.Contains(each.Id)).Select(each => $"{each.Where}: unknown id {each.Id}");
    }

    private static IEnumerable<(string Id, string Where)> EvidenceOfTests() =>
        from type in typeof(EvidenceReport).Assembly.GetTypes()
        from member in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Prepend<MemberInfo>(type)
        from attribute in member.GetCustomAttributes<EvidenceAttribute>()
        select (attribute.Id, $"{type.Name}.{member.Name}");

    private static IEnumerable<(string Id, string Where)> EvidenceOfWireTests(string table) =>
        from line in table.Split('\n')
        where line.Length > 0 && line[0] != '#'
        let cells = line.Split('\t')
        from file in cells[1].Split(',')
        select (cells[0], file);

    private static IEnumerable<Requirement> RequirementsOf(string document) =>
        from row in Row().Matches(document)
        select new Requirement(row.Groups["id"].Value, row.Groups["what"].Value, row.Groups["status"].Value);

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    private sealed record Requirement(string Id, string Sentence, string Status);

    [GeneratedRegex(@"^\| (?<id>[A-Z][A-Z0-9-]*-[0-9]+) \| (?<what>.+) \| (?<status>now|later) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("^[A-Z]+(?:-[A-Z]+)?-[0-9]{2,4}$")]
    private static partial Regex WellFormed();
}
