namespace Aerie.Node.Tests.DataModel.Cdt;

/// Random sequences of calls as text, over few values, so that they meet.
internal sealed class CdtCalls(Random random, string kind)
{
    private static readonly string[] Scalars = ["0", "1", "2", "3", "-1", "\"a\"", "\"b\"", "1.5", "2.5", "true", "null"];
    private static readonly string[] Keys = ["0", "1", "2", "3", "\"a\"", "\"b\"", "\"cc\"", "1.5"];
    private static readonly string[] Deep = ["[1]", "[1, 2]", "[]", "{\"a\": 1}", "o[1, 2]", "[\"a\", [1]]", "k{1: 2}"];

    public List<string> Make()
    {
        var onMap = kind == "map" || (kind == "nested" && random.Next(2) == 0);
        var lines = new List<string>();
        if (kind == "nested")
        {
            var inner = new[] { Start(onMap), Start(onMap), Start(onMap) };
            lines.Add($"{(random.Next(2) == 0 ? "" : "m0")}[{string.Join(", ", inner)}]".Replace("m0", "", StringComparison.Ordinal));
            if (random.Next(2) == 0)
            {
                lines.Add("[0, 1]");
            }
        }
        else
        {
            lines.Add(random.Next(4) == 0 ? "-" : Start(onMap));
        }

        for (var count = random.Next(1, 8); count > 0; count--)
        {
            var call = onMap ? MapCall() : ListCall();
            lines.Add(kind == "nested" ? $"[0xFF, [0x10, {random.Next(3)}], {call}]" : call);
        }

        return lines;
    }

    private string Start(bool onMap)
    {
        var count = random.Next(6);
        if (!onMap)
        {
            return $"[{Join(count, Value)}]";
        }

        var keys = Keys.OrderBy(_ => random.Next()).Take(count);
        return $"{{{string.Join(", ", keys.Select(key => $"{key}: {Value()}"))}}}";
    }

    private string ListCall() => random.Next(26) switch
    {
        0 => $"[0, {random.Next(2)}]",
        1 or 2 => $"[1, {Value()}, {random.Next(2)}, {Flags(15)}]",
        3 => $"[1, {Value()}]",
        4 or 5 => $"[2, [{Join(random.Next(4), Value)}], {random.Next(2)}, {Flags(15)}]",
        6 => $"[3, {random.Next(-2, 8)}, {Value()}, {Flags(15)}]",
        7 => $"[4, {random.Next(-2, 8)}, [{Join(random.Next(4), Value)}], {Flags(15)}]",
        8 => $"[9, {random.Next(-2, 8)}, {Value()}, {Flags(15)}]",
        9 => random.Next(4) == 0 ? "[11]" : "[16]",
        10 or 11 => $"[12, {random.Next(-2, 8)}, {Delta()}, {random.Next(2)}, {Flags(15)}]",
        12 => $"[13, {random.Next(4)}]",
        13 => $"[{Pick(5, 7, 17)}, {random.Next(-4, 6)}]",
        14 => $"[{Pick(6, 8, 18, 10)}, {random.Next(-4, 6)}{Count()}]",
        _ => Selection(onMap: false),
    };

    private string MapCall() => random.Next(24) switch
    {
        0 => $"[64, {Order()}]",
        1 => $"[65, {Key()}, {Value()}, {Order()}]",
        2 => $"[66, {Items()}, {Order()}]",
        3 or 4 => $"[67, {Key()}, {Value()}, {Order()}, {PutFlags()}]",
        5 or 6 => $"[68, {Items()}, {Order()}, {PutFlags()}]",
        7 => $"[69, {Key()}, {Value()}]",
        8 => $"[70, {Items()}]",
        9 => $"[73, {Key()}, {Delta()}, {Order()}]",
        10 => $"[74, {Key()}, {Delta()}, {Order()}]",
        11 => random.Next(4) == 0 ? "[75]" : "[96]",
        _ => Selection(onMap: true),
    };

    private string Selection(bool onMap)
    {
        var removes = random.Next(3) == 0;
        var returns = onMap ? Pick(0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17) : Pick(0, 1, 2, 3, 4, 5, 7, 13);
        var many = returns | (random.Next(4) == 0 ? 0x10000 : 0);
        int Code(int ofList, int ofMap, int ofMapRemoval) => onMap ? (removes ? ofMapRemoval : ofMap) : removes ? ofList + 13 : ofList;
        return random.Next(onMap ? 13 : 9) switch
        {
            0 => $"[{Code(19, 98, 77)}, {returns}, {random.Next(-4, 5)}]",
            1 => $"[{Code(20, 99, 78)}, {returns}, {Pattern()}]",
            2 => $"[{Code(21, 100, 79)}, {returns}, {random.Next(-4, 5)}]",
            3 => $"[{Code(22, 102, 82)}, {many}, {Pattern()}]",
            4 => $"[{Code(23, 108, 83)}, {many}, [{Join(random.Next(4), Pattern)}]]",
            5 => $"[{Code(24, 104, 85)}, {many}, {random.Next(-5, 6)}{Count()}]",
            6 => $"[{Code(25, 105, 86)}, {many}, {Pattern()}{End()}]",
            7 => $"[{Code(26, 106, 87)}, {many}, {random.Next(-5, 6)}{Count()}]",
            8 => $"[{Code(27, 110, 89)}, {many}, {Value()}, {random.Next(-4, 5)}{Count()}]",
            9 => $"[{Code(0, 97, 76)}, {returns}, {Key()}]",
            10 => $"[{Code(0, 107, 81)}, {many}, [{Join(random.Next(5), Key)}]]",
            11 => $"[{Code(0, 103, 84)}, {many}, {Key()}{(random.Next(2) == 0 ? "" : ", " + Key())}]",
            _ => $"[{Code(0, 109, 88)}, {many}, {Key()}, {random.Next(-4, 5)}{Count()}]",
        };
    }

    private string Value() => random.Next(4) == 0 ? Deep[random.Next(Deep.Length)] : Scalars[random.Next(Scalars.Length)];

    private string Pattern() => random.Next(6) switch { 0 => "[1, *]", 1 when random.Next(4) == 0 => "*", _ => Value() };

    private string Key() => Keys[random.Next(Keys.Length)];

    private string Items() => $"{{{Join(random.Next(4), () => $"{Key()}: {Value()}")}}}";

    private string Delta() => new[] { "1", "-2", "0.5", "null", "\"x\"" }[random.Next(random.Next(3) == 0 ? 5 : 3)];

    private string Count() => random.Next(3) == 0 ? "" : $", {random.Next(-1, 5)}";

    private string End() => random.Next(2) == 0 ? "" : ", " + (random.Next(3) == 0 ? "inf" : Pattern());

    private int Flags(int all) => random.Next(2) == 0 ? 0 : random.Next(all + 1);

    private int PutFlags() => Pick(0, 0, 1, 2, 5, 6, 13, 14, 9, 4);

    private int Order() => Pick(0, 1, 3);

    private int Pick(params int[] of) => of[random.Next(of.Length)];

    private static string Join(int count, Func<string> make) => string.Join(", ", Enumerable.Range(0, count).Select(_ => make()));
}
