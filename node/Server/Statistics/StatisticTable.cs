using System.Globalization;
using System.Reflection;
using Aerie.Foundation;

namespace Aerie.Server.Statistics;

public enum StatisticKind : byte
{
    Gauge,
    Counter,
}

/// One key of `statistics` or `namespace/<ns>`. `WithoutSource` is what a node says for which the part behind the key
/// does not exist: nothing happened, nothing is wrong.
public sealed record StatisticRow(string Key, StatisticKind Kind, string WithoutSource)
{
    /// The row stands for one key per stripe of the storage.
    public bool IsPerStripe => Key.StartsWith(StripeStart, StringComparison.Ordinal);

    /// The row stands for one key per file or device of the storage.
    public bool IsPerDevice => Key.StartsWith(DeviceStart, StringComparison.Ordinal);

    public string KeyOf(int number) => Key.Replace(NumberMark, $"[{number}]", StringComparison.Ordinal);

    /// Files have the same keys under their own word.
    public string KeyOf(int number, bool isFile) =>
        isFile ? KeyOf(number).Replace(DeviceStart, FileStart, StringComparison.Ordinal) : KeyOf(number);

    private const string NumberMark = "[N]";
    private const string StripeStart = "storage-engine.stripe[";
    private const string DeviceStart = "storage-engine.device[";
    private const string FileStart = "storage-engine.file[";
}

/// The keys that tools know from the reference, in its order, from an embedded file. Which of them have a source is the
/// business of NodeStatistics and NamespaceStatistics.
public static class StatisticTable
{
    public static IReadOnlyList<StatisticRow> Node() => Load("node-statistics.tsv");

    public static IReadOnlyList<StatisticRow> Namespace() => Load("namespace-statistics.tsv");

    private static List<StatisticRow> Load(string file)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Aerie.Server.Statistics.{file}");
        Invariant.Holds(stream is not null);
        using var reader = new StreamReader(stream);
        reader.ReadLine(); // the heading
        var rows = new List<StatisticRow>();
        while (reader.ReadLine() is { } line)
        {
            var columns = line.Split('\t');
            Invariant.Holds(columns.Length == 3);
            rows.Add(new StatisticRow(columns[0], Enum.Parse<StatisticKind>(columns[1], ignoreCase: true), columns[2]));
        }

        return rows;
    }
}

/// A key with its value, as text.
public readonly record struct Statistic(string Key, StatisticKind Kind, string Value);

/// How values are written, whatever the locale.
internal static class StatisticText
{
    public static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Text(bool value) => value ? "true" : "false";
}

internal static class CounterKeys
{
    /// `ClientReadSuccess` counts what the key `client_read_success` reports.
    public static Dictionary<string, TCounter> Of<TCounter>()
        where TCounter : struct, Enum =>
        Enum.GetValues<TCounter>().ToDictionary(counter => SnakeCase(counter.ToString()), StringComparer.Ordinal);

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((c, at) => char.IsUpper(c) ? (at > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));
}
