using Aerie.Client.Cluster;

namespace Aerie.Tools.Bench;

/// A module of functions that workloads call. It is registered under a name of its own: what users have stays theirs.
public sealed class ScriptModule
{
    public static readonly ScriptModule Bench = new("aerie_bench", "bench.lua");

    public static readonly ScriptModule Utxo = new("aerie_bench_utxo", "utxo.lua");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _resource;

    private ScriptModule(string name, string resource)
    {
        Name = name;
        _resource = resource;
    }

    public string Name { get; }

    public byte[] Text
    {
        get
        {
            using var stream = typeof(ScriptModule).Assembly.GetManifestResourceStream(_resource)!; // built in
            var text = new byte[stream.Length];
            stream.ReadExactly(text);
            return text;
        }
    }

    public void Register(HostAddress host)
    {
        var text = Text;
        var command = $"udf-put:filename={Name}.lua;content={Convert.ToBase64String(text)};content-len={text.Length};udf-type=LUA;";
        IReadOnlyList<KeyValuePair<string, string>> answers;
        try
        {
            answers = ClusterNode.Ask(host, Patience, command);
        }
        catch (Client.AerieException failure)
        {
            throw new BenchException($"{Name}.lua cannot be registered: {failure.Message}");
        }

        var answer = answers.Count > 0 ? answers[0].Value : string.Empty;
        if (answer is not ("" or "ok"))
        {
            throw new BenchException($"{Name}.lua cannot be registered: {answer}");
        }
    }
}
