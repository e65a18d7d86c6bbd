using System.Text.RegularExpressions;

namespace Aerie.Node.Tests.Architecture;

/// One method, property or constructor of a source file, from its signature to its closing brace.
internal readonly record struct Member(string Name, int FirstLine, int Lines);

/// Finds members by matching braces in code without comments and literals: a block directly inside a type is a member
/// unless it opens another type or initializes a field.
internal static partial class Members
{
    private enum Block { Type, Member, Other }

    public static IEnumerable<Member> Of(SourceFile file)
    {
        var code = file.Code;
        var open = new Stack<(Block Kind, int HeaderStart)>();
        open.Push((Block.Type, 0)); // the file: local functions of a program count as members
        var headerStart = 0;

        for (var i = 0; i < code.Length; i++)
        {
            if (code[i] == '{')
            {
                open.Push((KindOf(code[headerStart..i], open.Peek().Kind), headerStart));
                headerStart = i + 1;
            }
            else if (code[i] == '}' && open.Count > 1)
            {
                var (kind, start) = open.Pop();
                headerStart = i + 1;
                if (kind == Block.Member)
                {
                    yield return Describe(file, start, i);
                }
            }
            else if (code[i] == ';')
            {
                headerStart = i + 1;
            }
        }
    }

    private static Block KindOf(string header, Block parent)
    {
        if (parent != Block.Type)
        {
            return Block.Other;
        }

        if (TypeHeader().IsMatch(header))
        {
            return Block.Type;
        }

        return FieldInitializer().IsMatch(header) || header.Trim().Length == 0 ? Block.Other : Block.Member;
    }

    private static Member Describe(SourceFile file, int headerStart, int end)
    {
        var header = file.Code[headerStart..end];
        var start = headerStart + header.TakeWhile(char.IsWhiteSpace).Count();
        var firstLine = file.LineAt(start);
        return new Member(NameIn(header), firstLine, file.LineAt(end) - firstLine + 1);
    }

    private static string NameIn(string header)
    {
        var match = MemberName().Match(header);
        return match.Success ? match.Groups["name"].Value : "a member";
    }

    // Anchored at the declaration: primary constructors have parameters with defaults, and constraints say `class` too.
    [GeneratedRegex(@"^\s*(\[[^\]]*\]\s*)*([a-z]+\s+)*?(class|struct|record|interface|enum|namespace|extension)\b")]
    private static partial Regex TypeHeader();

    [GeneratedRegex(@"^(?:(?!=>)[^(])*[^=!<>]=(?![>=])")]
    private static partial Regex FieldInitializer();

    [GeneratedRegex(@"(?<name>[A-Za-z_]\w*)\s*(<[^>]*>)?\s*[({]")]
    private static partial Regex MemberName();
}
