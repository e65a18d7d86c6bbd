using System.Globalization;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// Random sequences of operations against the naive implementation: same code, same answer, same bin after each. A failure is shrunk to
/// the operations that it needs. AERIE_MODEL_SEQUENCES sets how many sequences are run.
public sealed class CdtModelTests
{
    private static readonly int Sequences =
        int.Parse(Environment.GetEnvironmentVariable("AERIE_MODEL_SEQUENCES") ?? "20000", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("list", 1)]
    [InlineData("map", 2)]
    [InlineData("nested", 3)]
    public void Operations_do_what_the_naive_implementation_does(string kind, int seed)
    {
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var calls = new CdtCalls(new Random(unchecked(seed * 1_000_003 + sequence)), kind).Make();
            if (Difference(calls) != null)
            {
                var shrunk = Shrink(calls);
                Assert.Fail($"seed {seed}, sequence {sequence}, {kind}:\n{string.Join('\n', shrunk)}\n{Difference(shrunk)}");
            }
        }
    }

    // The first line is the bin to begin with.
    private static string? Difference(List<string> lines)
    {
        var bin = new CdtBin(lines[0]);
        var naive = new NaiveCdt();
        if (lines[0] != "-")
        {
            (naive.Bin, naive.IsMissing) = (NaiveValues.Read(PackedText.Pack(lines[0])), false);
        }

        foreach (var call in lines.Skip(1))
        {
            var expected = $"{naive.Run(NaiveValues.Read(PackedText.Pack(call)))}, {naive.Answer}, {naive.Text}";
            var actual = $"{bin.Run(call)}, {bin.Answer}, {bin.Text}";
            if (expected != actual)
            {
                return $"expected {expected}\nactual   {actual}\nafter    {call}";
            }
        }

        return null;
    }

    private static List<string> Shrink(List<string> lines)
    {
        for (var i = lines.Count - 1; i > 0; i--)
        {
            List<string> fewer = [.. lines[..i], .. lines[(i + 1)..]];
            if (Fails(fewer))
            {
                lines = fewer;
            }
        }

        return lines;
    }

    // Without its beginning a sequence may make no sense to the naive implementation: that is no failure.
    private static bool Fails(List<string> lines)
    {
        try
        {
            return Difference(lines) != null;
        }
        catch (Exception e) when (e is ArgumentException or InvalidCastException or NullReferenceException)
        {
            return false;
        }
    }
}
