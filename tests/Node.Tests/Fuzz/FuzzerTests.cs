using System.Text;
using Aerie.Fuzz;
using Xunit;

namespace Aerie.Node.Tests.Fuzz;

/// The fuzzer on parsers with a planted fault: each kind must be found, and a sound parser must pass.
public sealed class FuzzerTests
{
    private const int Seed = 20;
    private static readonly Corpus OneSeed = new([Encoding.ASCII.GetBytes("length=4;data")], [Encoding.ASCII.GetBytes("magic")]);

    [Fact]
    public void A_sound_parser_passes()
    {
        var result = new Fuzzer(input => _ = input.IndexOf((byte)';'), new FuzzLimits()).Run(OneSeed, Seed, inputs: 50_000);
        Assert.Null(result.Problem);
        Assert.Equal(50_000, result.Inputs);
    }

    [Fact]
    public void An_exception_is_found_with_its_input()
    {
        var result = new Fuzzer(ReadsPastTheEnd, new FuzzLimits()).Run(OneSeed, Seed, inputs: 100_000);
        Assert.Contains("throws", result.Problem);
        Assert.ThrowsAny<Exception>(() => ReadsPastTheEnd(result.Input));
    }

    [Fact]
    public void A_word_of_the_dictionary_is_tried()
    {
        FuzzTarget target = input =>
        {
            if (input.IndexOf("magic"u8) >= 0)
            {
                throw new InvalidOperationException("found");
            }
        };
        Assert.NotNull(new Fuzzer(target, new FuzzLimits()).Run(OneSeed, Seed, inputs: 1_000).Problem);
    }

    [Fact]
    public void A_hang_is_found_while_it_lasts()
    {
        using var release = new ManualResetEventSlim();
        var limits = new FuzzLimits { PerInput = TimeSpan.FromMilliseconds(300) };
        try
        {
            var result = new Fuzzer(_ => release.Wait(), limits).Run(OneSeed, Seed, inputs: 10);
            Assert.Contains("hangs", result.Problem);
            Assert.Equal(OneSeed.Seeds[0], result.Input);
        }
        finally
        {
            release.Set();
        }
    }

    [Fact]
    public void Much_memory_for_one_input_is_found()
    {
        var limits = new FuzzLimits { AllocatedBytesPerInput = 100_000 };
        var result = new Fuzzer(input => GC.KeepAlive(new byte[input.Length * 10_000]), limits).Run(OneSeed, Seed, inputs: 10);
        Assert.Contains("takes memory", result.Problem);
    }

    [Fact]
    public void The_same_seed_gives_the_same_inputs()
    {
        Assert.Equal(Inputs(seed: 3), Inputs(seed: 3));
        Assert.NotEqual(Inputs(seed: 3), Inputs(seed: 4));
    }

    [Fact]
    public void Escapes_of_the_dictionary_are_bytes() => Assert.Equal([(byte)'a', 0xFF, 0x00, (byte)'\\'], Corpus.Unescape(@"a\xFF\x00\"));

    private static List<string> Inputs(int seed)
    {
        var seen = new List<string>();
        new Fuzzer(input => seen.Add(Convert.ToHexString(input)), new FuzzLimits()).Run(OneSeed, seed, inputs: 200);
        return seen;
    }

    /// Trusts the number after "length=": the fault of countless parsers.
    private static void ReadsPastTheEnd(ReadOnlySpan<byte> input)
    {
        if (input.StartsWith("length="u8) && input.Length > 9)
        {
            _ = input.Slice(9, (input[7] - '0') & 0xFF);
        }
    }
}
