using Aerie.Server.Config;
using Xunit;

namespace Aerie.Node.Tests.Config;

public sealed class NearestNameTests
{
    private const int Seed = 20261;

    [Theory]
    [InlineData("nsup-perid", "nsup-period")]
    [InlineData("NSUP_PERIOD", "nsup-period")]
    [InlineData("max-recrod-size", "max-record-size")]
    [InlineData("prot", "port")]
    [InlineData("something-else", null)]
    [InlineData("", null)]
    public void A_mistyped_name_finds_its_neighbour_and_a_strange_one_nobody(string name, string? expected) =>
        Assert.Equal(expected, NearestName.Find(name, ["nsup-period", "nsup-threads", "max-record-size", "port"]));

    [Fact]
    public void Any_name_finds_the_candidate_that_the_whole_distance_matrix_finds()
    {
        Random random = new(Seed);
        string[] candidates = [.. ParameterTable.Load().WordsIn("namespaces"), "a", "ab", new string('b', 64)];
        for (int i = 0; i < 2000; i++)
        {
            string name = Mistype(candidates[random.Next(candidates.Length)], random);
            Assert.True(Slowest(name, candidates) == NearestName.Find(name, candidates), $"{name}, seed {Seed}");
        }
    }

    private static string Mistype(string name, Random random)
    {
        for (int mistakes = random.Next(8); mistakes > 0 && name.Length is > 0 and < 64; mistakes--)
        {
            int at = random.Next(name.Length);
            name = random.Next(3) switch
            {
                0 => name.Remove(at, 1),
                1 => name.Insert(at, "aé-X"[random.Next(4)].ToString()),
                _ => $"{name[..at]}{(char)('a' + random.Next(26))}{name[(at + 1)..]}",
            };
        }

        return name;
    }

    private static string? Slowest(string name, string[] candidates)
    {
        int limit = Math.Max(2, name.Length / 3) + 1;
        return name.Length == 0 ? null : candidates
            .Select(candidate => (Name: candidate, Distance: Distance(name.ToLowerInvariant(), candidate)))
            .Where(pair => pair.Distance < limit && pair.Distance < pair.Name.Length)
            .OrderBy(pair => pair.Distance).FirstOrDefault().Name;
    }

    private static int Distance(string left, string right)
    {
        int[,] matrix = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
        {
            for (int j = 0; j <= right.Length; j++)
            {
                matrix[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(
                        matrix[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1),
                        Math.Min(matrix[i - 1, j], matrix[i, j - 1]) + 1);
            }
        }

        return matrix[left.Length, right.Length];
    }
}
