using Aerie.Foundation;
using Aerie.Server.Config;
using Xunit;

namespace Aerie.Node.Tests.Config;

/// Small files made of pieces of good ones and of noise. The fuzz target in tests/Fuzz goes on where this ends.
public sealed class ConfigRobustnessTests
{
    private const int Inputs = 20_000;

    private static readonly string[] Pieces =
    [
        "service {\n", "namespace test {\n", "storage-engine memory {\n", "}\n", " {", " } ", "\n", "#", "data-size 1G\n",
            "default-ttl 30d\n",
        "memory-size 4G\n", "set users {\n", "logging {\n console {\n context any info\n }\n}\n", "ENV_A", "ENV_", "ENV_NOPE",
            "9999999999999999999",
        "-1", "\0", "\t", "${x}", "namespaces:\n", "  - name: a\n", "    sets:\n", ": ", "- ", "[", "]", "{a: b}", "&x", "*x", "!!int ",
            "|\n", ">\n", "'", "\"",
        "storage-engine: {type: memory, data-size: 1G}\n", "service: {proto-fd-max: 5}\n", "? ", "---\n", "...\n", "%YAML 1.1\n", "\u2028",
            "\uD800", "é",
        "heartbeat.interval", "=", ";", "context=service;", "context=namespace;id=test;", "proto-fd-max", "set=x;",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(20_260_101)]
    public void No_input_makes_the_check_throw_or_contradict_itself(int seed)
    {
        Random random = new(seed);
        Dictionary<string, string> environment = new() { ["A"] = "1G" };
        ConfigReport sound = ConfigHarness.Conf("namespace test {\n}\n");
        for (int i = 0; i < Inputs / 2; i++)
        {
            string text = Compose(random);
            try
            {
                ConfigReport report = i % 2 == 0 ? ConfigHarness.Conf(text, environment) : ConfigHarness.Yaml(text, environment);
                Assert.Equal(report.HasProblems, report.Findings.Problems().Any());
                Assert.DoesNotContain(report.Findings, finding => finding.Text.Contains('\n', StringComparison.Ordinal));

                ConfigStore store = new(ConfigHarness.Table, sound);
                ConfigAnswer answer = store.Set(text);
                Assert.True(answer.Code != ResultCode.Ok || answer.Text == "ok");
                Assert.DoesNotContain('\n', answer.Text);
                store.Get(text);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, input {i}: {text}", e);
            }
        }
    }

    private static string Compose(Random random)
    {
        string text = "";
        for (int parts = random.Next(1, 14); parts > 0; parts--)
        {
            text += random.Next(8) == 0 ? ((char)random.Next(1, 0x3000)).ToString() : Pieces[random.Next(Pieces.Length)];
        }

        if (random.Next(4) == 0)
        {
            string whole = random.Next(2) == 0 ? ConfigCheck.DefaultText()
                : "namespaces:\n  - name: a\n    default-ttl: 5\n    sets:\n      - name: s\n";
            int at = random.Next(whole.Length);
            text = whole[..at] + text + whole[Math.Min(whole.Length, at + random.Next(20))..];
        }

        return text;
    }
}
