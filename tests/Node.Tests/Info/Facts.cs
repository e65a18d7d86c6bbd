using System.Reflection;
using Xunit;

namespace Aerie.Node.Tests.Info;

/// Lists that tools and dashboards rely on, embedded one entry per line.
internal static class Facts
{
    public static string[] Lines(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name);
        Assert.NotNull(stream);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
