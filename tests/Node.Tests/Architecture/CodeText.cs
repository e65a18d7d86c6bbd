namespace Aerie.Node.Tests.Architecture;

/// Just enough of C#'s lexical grammar to tell code from comments and literals. Line breaks stay, so offsets and line
/// numbers of the result are those of the source. Holes of interpolated strings are blanked with the rest of the literal.
internal static class CodeText
{
    public static string WithoutCommentsAndLiterals(string text)
    {
        var code = text.ToCharArray();
        var at = 0;
        while (at < text.Length)
        {
            var end = EndOfCommentOrLiteral(text, at);
            for (var i = at; i < end; i++)
            {
                code[i] = text[i] == '\n' ? '\n' : ' ';
            }

            at = Math.Max(end, at + 1);
        }

        return new string(code);
    }

    private static int EndOfCommentOrLiteral(string text, int at)
    {
        var rest = text.AsSpan(at);
        if (rest.StartsWith("//"))
        {
            return EndBy(text, at, "\n");
        }

        if (rest.StartsWith("/*"))
        {
            return EndBy(text, at + 2, "*/") + 2;
        }

        if (rest.StartsWith("\"\"\""))
        {
            return EndOfRawString(text, at);
        }

        if (rest.StartsWith("@\"") || rest.StartsWith("$@\"") || rest.StartsWith("@$\""))
        {
            return EndOfVerbatimString(text, text.IndexOf('"', at) + 1);
        }

        return rest[0] switch
        {
            '"' => EndOfPlainLiteral(text, at + 1, '"'),
            '\'' => EndOfPlainLiteral(text, at + 1, '\''),
            _ => at,
        };
    }

    private static int EndBy(string text, int from, string terminator)
    {
        var end = text.IndexOf(terminator, Math.Min(from, text.Length), StringComparison.Ordinal);
        return end < 0 ? text.Length : end;
    }

    private static int EndOfRawString(string text, int at)
    {
        var quotes = 0;
        while (at + quotes < text.Length && text[at + quotes] == '"')
        {
            quotes++;
        }

        return Math.Min(text.Length, EndBy(text, at + quotes, new string('"', quotes)) + quotes);
    }

    private static int EndOfVerbatimString(string text, int from)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] != '"')
            {
                continue;
            }

            if (i + 1 == text.Length || text[i + 1] != '"')
            {
                return i + 1;
            }

            i++; // a doubled quote stands for one
        }

        return text.Length;
    }

    private static int EndOfPlainLiteral(string text, int from, char quote)
    {
        for (var i = from; i < text.Length && text[i] != '\n'; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == quote)
            {
                return i + 1;
            }
        }

        return from; // no literal after all
    }
}
