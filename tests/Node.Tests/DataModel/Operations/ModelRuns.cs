using Xunit;

namespace Aerie.Node.Tests.DataModel.Operations;

/// Random sequences of steps that the code and a naive model both take. A failure is shrunk to the steps that it needs.
/// AERIE_MODEL_SEQUENCES says how many, AERIE_MODEL_SEED where to begin.
internal static class ModelRuns
{
    private const int Usual = 20_000;

    public static void Hold<TStep>(string test, Func<Random, List<TStep>> make, Func<IReadOnlyList<TStep>, string?> check)
        where TStep : notnull
    {
        var first = Number("AERIE_MODEL_SEED", 1);
        var count = Number("AERIE_MODEL_SEQUENCES", Usual);
        for (var seed = first; seed < first + count; seed++)
        {
            var steps = make(new Random(seed));
            if (check(steps) is { } complaint)
            {
                steps = Shrink(steps, check);
                Assert.Fail($"{check(steps) ?? complaint}\n{string.Join('\n', steps)}\n" +
                    $"again: AERIE_MODEL_SEED={seed} AERIE_MODEL_SEQUENCES=1 make test FILTER={test}");
            }
        }
    }

    private static List<TStep> Shrink<TStep>(List<TStep> steps, Func<IReadOnlyList<TStep>, string?> check)
    {
        for (var i = steps.Count - 1; i >= 0; i--)
        {
            var fewer = steps.Where((_, index) => index != i).ToList();
            if (check(fewer) is not null)
            {
                steps = fewer;
            }
        }

        return steps;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
