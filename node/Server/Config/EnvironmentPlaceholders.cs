using System.Text;

namespace Aerie.Server.Config;

/// `ENV_NODE_ID` in a file stands for the environment variable NODE_ID: one file serves all pods of a cluster.
internal static class EnvironmentPlaceholders
{
    private const string Prefix = "ENV_";

    /// False when a variable is not set (then the problem is told). What a variable holds is taken as it is: never split into
    /// tokens, never expanded again, so that the environment cannot smuggle statements into the file.
    public static bool TryExpand(
        ref string token, IReadOnlyDictionary<string, string> environment, int line, int lengthMax, Findings findings)
    {
        int at = token.IndexOf(Prefix, StringComparison.Ordinal);
        if (at < 0)
        {
            return true;
        }

        StringBuilder expanded = new();
        int done = 0;
        for (; at >= 0; at = token.IndexOf(Prefix, done, StringComparison.Ordinal))
        {
            int end = EndOfName(token, at + Prefix.Length);
            string name = token[(at + Prefix.Length)..end];
            if (!environment.TryGetValue(name, out string? value) || value.Length == 0)
            {
                findings.Problem(line, $"{Findings.Quote(Prefix + name)}: the environment variable {Findings.Quote(name)} is not set");
                return false;
            }

            expanded.Append(token, done, at - done).Append(value);
            done = end;
        }

        token = expanded.Append(token, done, token.Length - done).ToString();
        if (token.Length > lengthMax)
        {
            findings.Problem(line,
                $"with its ENV_ placeholders filled in, the value is {token.Length} characters long; allowed are {lengthMax}");
            return false;
        }

        return true;
    }

    private static int EndOfName(string token, int from)
    {
        while (from < token.Length && (char.IsAsciiLetterOrDigit(token[from]) || token[from] == '_'))
        {
            from++;
        }

        return from;
    }
}
