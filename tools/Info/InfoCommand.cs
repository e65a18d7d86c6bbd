using System.CommandLine;
using System.Text.Json;
using Aerie.Client;
using Aerie.Client.Cluster;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Info;

/// `aerie info`: asks one node info commands and prints one value per line.
public static class InfoCommand
{
    /// What a node is asked when the user names nothing.
    private static readonly string[] Summary = ["node", "build", "edition", "services", "namespaces", "statistics"];

    public static Command Create()
    {
        var host = new Option<string>("--host", "-h")
        {
            DefaultValueFactory = _ => "127.0.0.1:3000",
            Description = "node to ask, host:port",
        };
        var commands = new Option<string[]>("--value", "-v") { Description = "info command; may be given several times" };
        var json = new Option<bool>("--json") { Description = "print one JSON object: command → answer" };
        var lines = new Option<bool>("--lines", "-l") { Description = "one item of an answer per line, instead of ;" };
        var timeout = new Option<int>("--timeout") { DefaultValueFactory = _ => 1000, Description = "milliseconds to wait for the node" };
        var command = new Command("info", "Ask a node info commands") { host, commands, json, lines, timeout };

        // -h is the host for users of asinfo, so help keeps only its long form here.
        command.Options.Add(new System.CommandLine.Help.HelpOption("--help"));
        command.SetAction(parsed =>
        {
            var asked = parsed.GetValue(commands) is { Length: > 0 } named ? named : Summary;
            var wait = TimeSpan.FromMilliseconds(Math.Max(1, parsed.GetValue(timeout)));
            return Run(parsed.GetValue(host)!, asked, wait, parsed.GetValue(json), parsed.GetValue(lines));
        });
        return command;
    }

    private static int Run(string host, string[] commands, TimeSpan timeout, bool json, bool lines)
    {
        try
        {
            var answers = ClusterNode.Ask(HostAddress.Parse(host), timeout, commands);
            Print(answers, json, lines, named: commands.Length > 1);
            return answers.Any(answer => answer.Value.StartsWith("ERROR", StringComparison.Ordinal)) ? 1 : 0;
        }
        catch (Exception failure) when (failure is AerieException or FormatException)
        {
            Console.Error.WriteLine(failure.Message);
            return 1;
        }
    }

    private static void Print(IReadOnlyList<KeyValuePair<string, string>> answers, bool json, bool lines, bool named)
    {
        if (json)
        {
            var byCommand = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (command, value) in answers)
            {
                byCommand[command] = value;
            }

            Console.WriteLine(JsonSerializer.Serialize(byCommand, BenchResult.Json));
            return;
        }

        foreach (var (command, value) in answers)
        {
            if (named)
            {
                Console.WriteLine($"{command}:");
            }

            Console.WriteLine(lines ? value.Replace(';', '\n') : value);
        }
    }
}
