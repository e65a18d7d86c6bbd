namespace Aerie.Server.Info;

/// What the query commands need of the queries in progress. Show: the rows, of one query (null: of all), joined by `;`.
public sealed record QueryControl(Func<ulong?, string> Show, Func<ulong, bool> Abort, Func<int> AbortAll)
{
    /// A node without queries.
    public static QueryControl None { get; } = new(_ => "", _ => false, () => 0);
}
