using Xunit;

namespace Aerie.Node.Tests.Architecture;

/// Holds the tables of ArchitectureRules over the project files and sources, and shows on samples that each can fail.
public sealed class ArchitectureTests
{
    [Fact]
    public void Projects_reference_only_what_the_table_allows() => Holds(Projects(), ArchitectureRules.References);

    [Fact]
    public void Unsafe_blocks_are_allowed_in_few_projects() => Holds(Projects(), ArchitectureRules.UnsafeBlocksAllowed);

    [Fact]
    public void Unsafe_code_is_in_few_folders() => Holds(Sources("node", "client", "tools"), ArchitectureRules.UnsafeKeyword);

    [Fact]
    public void Namespaces_follow_folders() => Holds(Sources("node"), ArchitectureRules.NamespaceFollowsFolder);

    [Fact]
    public void Folders_of_the_server_use_only_what_the_table_allows() =>
        Holds(Sources("node/Server").Where(file => file.Path.Split('/').Length > 3), ArchitectureRules.ServerDirections);

    [Fact]
    public void A_forbidden_reference_is_found()
    {
        var project = new SourceFile("node/Cluster/Aerie.Cluster.csproj",
            """<Project><ItemGroup><ProjectReference Include="../Storage/Aerie.Storage.csproj" /></ItemGroup></Project>""");
        Assert.Equal(["Aerie.Cluster may not reference Aerie.Storage"], ArchitectureRules.References(project));
    }

    [Fact]
    public void An_unknown_project_is_found() =>
        Assert.Single(ArchitectureRules.References(new SourceFile("node/Extra/Aerie.Extra.csproj", "<Project />")));

    [Fact]
    public void Unsafe_blocks_in_another_project_are_found() =>
        Assert.Single(ArchitectureRules.UnsafeBlocksAllowed(new SourceFile("node/Index/Aerie.Index.csproj",
            "<Project><PropertyGroup><AllowUnsafeBlocks>true</AllowUnsafeBlocks></PropertyGroup></Project>")));

    [Fact]
    public void Unsafe_code_in_another_folder_is_found()
    {
        const string source = "class C { unsafe void M() { } } // unsafe\n";
        Assert.Single(ArchitectureRules.UnsafeKeyword(new SourceFile("node/Index/C.cs", source)));
        Assert.Empty(ArchitectureRules.UnsafeKeyword(new SourceFile("node/Memory/C.cs", source)));
    }

    [Fact]
    public void A_foreign_namespace_is_found()
    {
        Assert.Single(ArchitectureRules.NamespaceFollowsFolder(new SourceFile("node/Server/Query/C.cs", "namespace Aerie.Server.Info;\n")));
        Assert.Empty(ArchitectureRules.NamespaceFollowsFolder(new SourceFile("node/Index/Sets/C.cs", "namespace Aerie.Index;\n")));
    }

    [Fact]
    public void A_wrong_direction_inside_the_server_is_found()
    {
        var upward = new SourceFile("node/Server/Records/C.cs", "using Aerie.Server.Transactions;\nusing Aerie.Server.Metrics;\n");
        Assert.Equal(["node/Server/Records/C.cs: Records may not use Transactions"], ArchitectureRules.ServerDirections(upward));
    }

    [Fact]
    public void The_tables_have_no_cycle()
    {
        Assert.All(ArchitectureRules.Assemblies, row => Assert.DoesNotContain(row.Key, Reach(ArchitectureRules.Assemblies, row.Key)));
        Assert.All(ArchitectureRules.ServerFolders, row => Assert.DoesNotContain(row.Key, Reach(ArchitectureRules.ServerFolders, row.Key)));
    }

    private static HashSet<string> Reach(IReadOnlyDictionary<string, string[]> table, string from)
    {
        var reached = new HashSet<string>();
        var next = new Queue<string>(table[from]);
        while (next.TryDequeue(out var name))
        {
            if (reached.Add(name))
            {
                Array.ForEach(table[name], next.Enqueue);
            }
        }

        return reached;
    }

    private static IEnumerable<SourceFile> Projects() =>
        new[] { "node", "client", "tools" }.SelectMany(folder => Repository.Files(folder, ".csproj"));

    private static IEnumerable<SourceFile> Sources(params string[] folders) =>
        folders.SelectMany(folder => Repository.Files(folder, ".cs"));

    private static void Holds(IEnumerable<SourceFile> files, Func<SourceFile, IEnumerable<string>> rule)
    {
        var complaints = files.SelectMany(rule).ToList();
        Assert.True(complaints.Count == 0, string.Join('\n', complaints));
    }
}
