using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Aerie.Node.Tests.Architecture;

/// The picture of docs/ARCHITECTURE.md as data. Who changes a row changes the picture.
internal static partial class ArchitectureRules
{
    /// Each assembly and all it may reference.
    public static IReadOnlyDictionary<string, string[]> Assemblies { get; } = new Dictionary<string, string[]>
    {
        ["Aerie.Foundation"] = [],
        ["Aerie.Memory"] = ["Aerie.Foundation"],
        ["Aerie.Io"] = ["Aerie.Foundation", "Aerie.Memory"],
        ["Aerie.Protocol"] = ["Aerie.Foundation"],
        ["Aerie.DataModel"] = ["Aerie.Foundation"],
        ["Aerie.Index"] = ["Aerie.Foundation", "Aerie.Memory", "Aerie.DataModel"],
        ["Aerie.Storage"] = ["Aerie.Foundation", "Aerie.Memory", "Aerie.Io", "Aerie.DataModel"],
        ["Aerie.Lua"] = ["Aerie.Foundation", "Aerie.DataModel"],
        ["Aerie.Cluster"] = ["Aerie.Foundation"],
        ["Aerie.Server"] =
        [
            "Aerie.Foundation", "Aerie.Memory", "Aerie.Io", "Aerie.Protocol", "Aerie.DataModel", "Aerie.Index", "Aerie.Storage",
            "Aerie.Lua", "Aerie.Cluster",
        ],
        ["Aerie.Client"] = ["Aerie.Foundation", "Aerie.Protocol", "Aerie.DataModel"],
        ["Aerie.Tools"] =
        [
            "Aerie.Foundation", "Aerie.Memory", "Aerie.Io", "Aerie.Protocol", "Aerie.DataModel", "Aerie.Storage", "Aerie.Client",
        ],
    };

    /// Each folder of the Server and the folders it may use. Program.cs joins them all.
    public static IReadOnlyDictionary<string, string[]> ServerFolders { get; } = new Dictionary<string, string[]>
    {
        ["Config"] = [],
        ["Metrics"] = [],
        ["Security"] = ["Config", "Metrics"],
        ["Records"] = ["Config", "Metrics"],
        ["Transactions"] = ["Records", "Metrics"],
        ["Udf"] = [],
        ["Batch"] = ["Records", "Transactions", "Metrics"],
        ["Query"] = ["Records", "Transactions", "Metrics"],
        ["Logging"] = ["Config"],
        ["Statistics"] = ["Config", "Metrics", "Records"],
        ["Info"] = ["Config", "Metrics", "Security", "Records", "Query", "Statistics", "Logging", "Udf"],
        ["Http"] = ["Config", "Metrics", "Records", "Statistics", "Logging", "Info"],
        ["Service"] = ["Config", "Metrics", "Security", "Records", "Transactions", "Batch", "Query", "Info"],
    };

    /// Native memory and system calls live here and nowhere else.
    public static IReadOnlyList<string> UnsafeAssemblies { get; } = ["Aerie.Memory", "Aerie.Io", "Aerie.Lua"];

    public static IEnumerable<string> References(SourceFile project)
    {
        var name = Path.GetFileNameWithoutExtension(project.Path);
        if (!Assemblies.TryGetValue(name, out var allowed))
        {
            return [$"{name}: not in the table of assemblies"];
        }

        return XDocument.Parse(project.Text).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!))
            .Where(referenced => !allowed.Contains(referenced))
            .Select(referenced => $"{name} may not reference {referenced}");
    }

    public static IEnumerable<string> UnsafeBlocksAllowed(SourceFile project)
    {
        var name = Path.GetFileNameWithoutExtension(project.Path);
        var allows = XDocument.Parse(project.Text).Descendants("AllowUnsafeBlocks").Any(element => element.Value.Trim() == "true");
        return allows && !UnsafeAssemblies.Contains(name) ? [$"{name} may not allow unsafe blocks"] : [];
    }

    public static IEnumerable<string> UnsafeKeyword(SourceFile file)
    {
        var isHome = UnsafeAssemblies.Any(name => file.Path.StartsWith($"node/{name["Aerie.".Length..]}/", StringComparison.Ordinal));
        return isHome ? [] : Unsafe().Matches(file.Code).Select(match => $"{file.Path}:{file.LineAt(match.Index)}: unsafe");
    }

    /// Sources of node/Index say `namespace Aerie.Index`, sources of node/Server/Query say `namespace Aerie.Server.Query`.
    public static IEnumerable<string> NamespaceFollowsFolder(SourceFile file)
    {
        var folders = file.Path.Split('/')[1..^1];
        var expected = "Aerie." + string.Join('.', folders.Take(folders[0] == "Server" ? 2 : 1));
        return from match in Namespace().Matches(file.Code)
               let actual = match.Groups["name"].Value
               where actual != expected && !actual.StartsWith(expected + ".", StringComparison.Ordinal)
               select $"{file.Path}: namespace {actual}, the folder says {expected}";
    }

    public static IEnumerable<string> ServerDirections(SourceFile file)
    {
        var folder = file.Path.Split('/')[2];
        if (!ServerFolders.TryGetValue(folder, out var allowed))
        {
            return [$"{file.Path}: the folder {folder} is not in the table of the Server"];
        }

        return ServerName().Matches(file.Code)
            .Select(match => match.Groups["folder"].Value)
            .Where(used => used != folder && ServerFolders.ContainsKey(used) && !allowed.Contains(used))
            .Distinct()
            .Select(used => $"{file.Path}: {folder} may not use {used}");
    }

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex Unsafe();

    [GeneratedRegex(@"^\s*namespace\s+(?<name>[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\bAerie\.Server\.(?<folder>\w+)")]
    private static partial Regex ServerName();
}
