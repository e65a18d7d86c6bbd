using System.Text;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Expressions.Regex;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Expressions;

public sealed class RegexTests
{
    private const int Basic = 0;
    private const int Extended = 1;
    private const int IgnoreCase = 2;
    private const int NewLine = 4;

    [Theory]
    [InlineData("abc", "xabcx", true)]
    [InlineData("abc", "xabx", false)]
    [InlineData("", "anything", true)]
    [InlineData("^abc$", "abc", true)]
    [InlineData("^abc$", "abcd", false)]
    [InlineData("a.c", "abc", true)]
    [InlineData("a*", "", true)]
    [InlineData("^a*$", "aaab", false)]
    [InlineData("ab+c", "ac", false)]
    [InlineData("ab+c", "abbbc", true)]
    [InlineData("^ab?c$", "abbc", false)]
    [InlineData("^(ab|cd)+$", "abcdab", true)]
    [InlineData("^(ab|cd)+$", "abcda", false)]
    [InlineData("^(a|b|c|)d$", "d", true)]
    [InlineData("^(a|b|c)d$", "cd", true)]
    [InlineData("x|y|z", "__z", true)]
    [InlineData("^a{3}$", "aaa", true)]
    [InlineData("^a{3}$", "aaaa", false)]
    [InlineData("^a{2,}$", "a", false)]
    [InlineData("^a{2,}$", "aaaaa", true)]
    [InlineData("^a{,2}$", "aa", true)]
    [InlineData("^a{,2}$", "aaa", false)]
    [InlineData("^a{1,3}$", "aaa", true)]
    [InlineData("^a{1,3}$", "aaaa", false)]
    [InlineData("^a{0}b$", "b", true)]
    [InlineData("^(a{1,2}){2}$", "aaaa", true)]
    [InlineData("^(a{1,2}){2}$", "aaaaa", false)]
    [InlineData("^(a*)*$", "aaaa", true)]
    [InlineData("^(a*)+b$", "aaab", true)]
    [InlineData("^(|a)+$", "aa", true)]
    [InlineData("[abc]x", "bx", true)]
    [InlineData("[^abc]x", "bx", false)]
    [InlineData("^[a-f0-9]+$", "dead42", true)]
    [InlineData("^[a-f0-9]+$", "deag", false)]
    [InlineData("^[]a]+$", "]a]", true)]
    [InlineData("^[^]a]+$", "]", false)]
    [InlineData("^[a-]+$", "a-a", true)]
    [InlineData("^[[:alpha:]_]+$", "ab_c", true)]
    [InlineData("^[[:digit:][:space:]]+$", "1 2", true)]
    [InlineData("^[[:upper:]]$", "a", false)]
    [InlineData("^[[.a.][=b=]]+$", "ab", true)]
    [InlineData("a\\.b", "a.b", true)]
    [InlineData("a\\.b", "axb", false)]
    [InlineData("a\\+b", "a+b", true)]
    [InlineData("^\\w+\\s\\W$", "ab_1 !", true)]
    [InlineData("\\bfoo\\b", "a foo b", true)]
    [InlineData("\\bfoo\\b", "afoo", false)]
    [InlineData("\\<foo\\>", "(foo)", true)]
    [InlineData("o\\B", "foo ", true)]
    [InlineData("a)", "a)", true)]
    [InlineData("a^b", "a^b", false)]
    [InlineData("a|^b", "xb", false)]
    [InlineData("(^a|b$)", "xb", true)]
    [InlineData("a$|^b", "b", true)]
    public void An_extended_pattern(string pattern, string text, bool matches) => Holds(pattern, Extended, text, matches);

    [Theory]
    [InlineData("ab+c", "ab+c", true)]
    [InlineData("ab+c", "abbc", false)]
    [InlineData("ab\\+c", "abbc", true)]
    [InlineData("ab\\?c", "ac", true)]
    [InlineData("a|b", "a|b", true)]
    [InlineData("a|b", "a", false)]
    [InlineData("a\\|b", "b", true)]
    [InlineData("(a)", "(a)", true)]
    [InlineData("^\\(ab\\)*$", "abab", true)]
    [InlineData("^a\\{2\\}$", "aa", true)]
    [InlineData("a{2}", "a{2}", true)]
    [InlineData("*a", "*a", true)]
    [InlineData("\\(*a\\)", "*a", true)]
    [InlineData("^*a", "*a", true)]
    [InlineData("a^b", "a^b", true)]
    [InlineData("a$b", "a$b", true)]
    [InlineData("\\(a$\\)", "ba", true)]
    [InlineData("Treck$", "Star Wars", false)]
    [InlineData("^Star", "Star Wars", true)]
    public void A_basic_pattern(string pattern, string text, bool matches) => Holds(pattern, Basic, text, matches);

    [Theory]
    [InlineData("^sTaR", Extended | IgnoreCase, "Star Wars", true)]
    [InlineData("[a-c]+$", Extended | IgnoreCase, "ABC", true)]
    [InlineData("^[^a]$", Extended | IgnoreCase, "A", false)]
    [InlineData("^b", Extended | NewLine, "a\nb", true)]
    [InlineData("^b", Extended, "a\nb", false)]
    [InlineData("a$", Extended | NewLine, "a\nb", true)]
    [InlineData("a.b", Extended, "a\nb", true)]
    [InlineData("a.b", Extended | NewLine, "a\nb", false)]
    [InlineData("a[^x]b", Extended | NewLine, "a\nb", false)]
    [InlineData("a[^x]b", Extended, "a\nb", true)]
    public void Flags_change_what_matches(string pattern, int flags, string text, bool matches) => Holds(pattern, flags, text, matches);

    [Theory]
    [InlineData("(a", Extended)]
    [InlineData("a**{", Extended)]
    [InlineData("*a", Extended)]
    [InlineData("a|*b", Extended)]
    [InlineData("a{2", Extended)]
    [InlineData("a{2,1}", Extended)]
    [InlineData("a{99999}", Extended)]
    [InlineData("(a{1000}){1000}", Extended)]
    [InlineData("[a", Extended)]
    [InlineData("[z-a]", Extended)]
    [InlineData("[[:nonsense:]]", Extended)]
    [InlineData("a\\", Extended)]
    [InlineData("(a)\\1", Extended)]
    [InlineData("\\(a\\)\\1", Basic)]
    [InlineData("a\\)", Basic)]
    [InlineData("\\(a", Basic)]
    public void A_broken_pattern_is_refused(string pattern, int flags) =>
        Assert.False(new RegexProgram().TryCompile(Encoding.UTF8.GetBytes(pattern), flags));

    [Theory]
    [InlineData("(a+)+$", 'a')]
    [InlineData("(a|a)*b", 'a')]
    [InlineData("(a|aa)+$", 'a')]
    [InlineData("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[x]", 'a')]
    [InlineData("(x+x+)+y", 'x')]
    [InlineData("((a?){30}){20}b", 'a')]
    public void A_pattern_that_makes_others_backtrack_takes_time_in_proportion(string pattern, char letter)
    {
        var program = new RegexProgram();
        Assert.True(program.TryCompile(Encoding.UTF8.GetBytes(pattern), Extended));
        var text = Encoding.UTF8.GetBytes(new string(letter, 5_000) + "!");
        var work = (long)RegexProgram.StatesMax * (text.Length + 1);
        Assert.Equal(Trilean.False, new RegexMatcher().Run(program, text, ref work));
    }

    [Fact]
    public void Without_work_left_the_answer_is_unknown()
    {
        var program = new RegexProgram();
        Assert.True(program.TryCompile("(a|b)*c"u8, Extended));
        var work = 1_000L;
        Assert.Equal(Trilean.Unknown, new RegexMatcher().Run(program, Encoding.UTF8.GetBytes(new string('a', 100_000)), ref work));
    }

    [Fact]
    public void Deep_and_long_patterns_are_refused_in_time()
    {
        var program = new RegexProgram();
        Assert.False(program.TryCompile(Encoding.UTF8.GetBytes(new string('(', 5_000) + new string(')', 5_000)), Extended));
        Assert.False(program.TryCompile(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a|", 4_000))), Extended));
        Assert.False(program.TryCompile(Encoding.UTF8.GetBytes(new string('a', 100_000)), Extended));
        Assert.True(program.TryCompile(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("a|", 600))), Extended));
    }

    [Fact]
    public void Random_patterns_agree_with_a_matcher_of_another_kind()
    {
        var random = new Random(20_261);
        var program = new RegexProgram();
        var matcher = new RegexMatcher();
        for (var i = 0; i < 3_000; i++)
        {
            var pattern = RandomPattern(random, depth: 3);
            var text = new string([.. Enumerable.Range(0, random.Next(8)).Select(_ => (char)('a' + random.Next(3)))]);
            Assert.True(program.TryCompile(Encoding.UTF8.GetBytes(pattern), Extended), pattern);
            var work = long.MaxValue;
            var expected = System.Text.RegularExpressions.Regex.IsMatch(text, pattern.Replace("$", "\\z", StringComparison.Ordinal));
            var found = matcher.Run(program, Encoding.UTF8.GetBytes(text), ref work);
            Assert.True(found == Trileans.Of(expected), $"{pattern} on {text}: {found}");
        }
    }

    private static string RandomPattern(Random random, int depth) => random.Next(depth > 0 ? 9 : 3) switch
    {
        0 => "[ab]",
        1 => ".",
        2 => ((char)('a' + random.Next(3))).ToString(),
        3 => $"({RandomPattern(random, depth - 1)})*",
        4 => $"({RandomPattern(random, depth - 1)})+",
        5 => $"({RandomPattern(random, depth - 1)}){{{random.Next(2)},{random.Next(1, 4)}}}",
        6 => $"({RandomPattern(random, depth - 1)}|{RandomPattern(random, depth - 1)})",
        7 => $"(^{RandomPattern(random, depth - 1)}|{RandomPattern(random, depth - 1)}$)",
        _ => RandomPattern(random, depth - 1) + RandomPattern(random, depth - 1),
    };

    private static void Holds(string pattern, int flags, string text, bool matches)
    {
        var program = new RegexProgram();
        Assert.True(program.TryCompile(Encoding.UTF8.GetBytes(pattern), flags));
        var work = long.MaxValue;
        Assert.Equal(Trileans.Of(matches), new RegexMatcher().Run(program, Encoding.UTF8.GetBytes(text), ref work));
    }
}
