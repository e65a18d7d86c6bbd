using System.Text;

namespace Aerie.Fuzz;

/// The seeds of one target: every file of corpus/&lt;target&gt;/. A file named dictionary.txt holds words instead, one per
/// line, `\xNN` for a byte: what the format would hardly get by chance.
internal sealed record Corpus(IReadOnlyList<byte[]> Seeds, IReadOnlyList<byte[]> Tokens)
{
    private const string DictionaryName = "dictionary.txt";

    public static Corpus Load(string folder)
    {
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder).Order(StringComparer.Ordinal).ToList() : [];
        var seeds = files.Where(file => Path.GetFileName(file) != DictionaryName).Select(File.ReadAllBytes).ToList();
        var words = files.Where(file => Path.GetFileName(file) == DictionaryName).SelectMany(File.ReadAllLines)
            .Where(line => line.Length > 0).Select(Unescape).ToList();
        return new Corpus(seeds.Count > 0 ? seeds : [[]], words);
    }

    internal static byte[] Unescape(string line)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < line.Length; i++)
        {
            if (i + 3 < line.Length && line[i] == '\\' && line[i + 1] == 'x')
            {
                bytes.Add(Convert.ToByte(line.Substring(i + 2, 2), 16));
                i += 3;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(line[i].ToString()));
            }
        }

        return [.. bytes];
    }
}
