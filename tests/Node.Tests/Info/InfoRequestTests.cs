using System.Text;
using Aerie.Fuzz;
using Aerie.Server.Info;
using Xunit;

namespace Aerie.Node.Tests.Info;

/// What may be asked, and what hostile requests get.
public sealed class InfoRequestTests : IDisposable
{
    private readonly InfoHarness _info = new();

    public void Dispose() => _info.Dispose();

    [Fact]
    public void Every_line_of_a_request_is_answered_with_itself()
    {
        var reply = _info.AskRaw("build\npartition-generation\n\nnope\nnamespace/test\n"u8).Split('\n');
        Assert.Equal(["build", "partition-generation", "nope", "namespace/test", ""], reply.Select(line => line.Split('\t')[0]));
        Assert.Equal("nope\tERROR:4:unrecognized command", reply[2]);
    }

    [Fact]
    public void An_empty_request_is_answered_with_a_summary()
    {
        var reply = _info.AskRaw("\n"u8);
        Assert.Contains("build\t8.1.2.0\n", reply, StringComparison.Ordinal);
        Assert.Equal(reply.Count(c => c == '\n'), _info.AskRaw([]).Count(c => c == '\n'));
    }

    [Fact]
    public void Help_lists_the_frozen_commands_each_with_a_line()
    {
        Assert.Equal(FrozenCommands, _info.Reporting.Commands.Keys.Order(StringComparer.Ordinal));
        var help = _info.Ask("help");
        Assert.All(_info.Reporting.Commands.Values, command =>
            Assert.Contains($"{command.Name} - {command.Help}", help, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_command_answers_one_line_also_without_and_with_senseless_arguments()
    {
        foreach (var name in _info.Reporting.Commands.Keys)
        {
            foreach (var asked in new[] { name, $"{name}:", $"{name}/", $"{name}:a=b;;=;c", $"{name}/x/y/z",
                $"{name}:namespace=;id=;set=;hist=;value=" })
            {
                Assert.Equal(asked, _info.AskRaw(Encoding.UTF8.GetBytes(asked)).Split('\t')[0]);
                _info.Ask(asked);
            }
        }
    }

    [Fact]
    public void Thousands_of_commands_get_a_bounded_reply()
    {
        var many = string.Concat(Enumerable.Repeat("partition-info\n", 5000));
        var reply = _info.AskRaw(Encoding.UTF8.GetBytes(many));
        Assert.EndsWith("\tERROR:4:too much asked in one request\n", reply, StringComparison.Ordinal);
        Assert.True(reply.Length < InfoAnswers.ReplyBytesMax + (1 << 20));

        var small = string.Concat(Enumerable.Repeat("build\n", 5000));
        Assert.Equal(InfoAnswers.CommandsMax + 1, _info.AskRaw(Encoding.UTF8.GetBytes(small)).Count(c => c == '\n'));
    }

    [Fact]
    public void A_line_without_end_is_refused_shortly()
    {
        var reply = _info.AskRaw(Encoding.UTF8.GetBytes(new string('x', 3 << 20)));
        Assert.True(reply.Length < 100);
        Assert.EndsWith("\tERROR:4:command is too long\n", reply, StringComparison.Ordinal);
        Assert.EndsWith("\tERROR:4:unrecognized command\n", _info.AskRaw(Encoding.UTF8.GetBytes(new string('x', 1 << 20))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_client_sends_back_cannot_fake_a_reply()
    {
        var reply = _info.AskRaw("set-config:context=a\tb\rc\n"u8);
        Assert.Equal(1, reply.Count(c => c == '\n'));
        Assert.DoesNotContain('\t', reply[(reply.LastIndexOf("ERROR", StringComparison.Ordinal))..]);
    }

    [Fact]
    public void Garbage_is_answered_and_never_thrown_at()
    {
        var random = new Random(4711);
        var words = _info.Reporting.Commands.Keys.ToArray();
        for (var i = 0; i < 3000; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            byte[] request = [.. Encoding.UTF8.GetBytes(words[random.Next(words.Length)]), (byte)(random.Next(2) == 0 ? ':' : '/'),
                .. bytes];
            InfoFuzz.Run(request);
        }
    }

    private static readonly string[] FrozenCommands = Facts.Lines("commands");
}
