using Aerie.DataModel.Expressions;
using Aerie.Protocol;
using Aerie.Server.Records;

namespace Aerie.Server.Query;

/// What a query asks for, independent of the buffer that it came in.
internal sealed record QueryPlan
{
    public required Namespace Records { get; init; }

    public required PartitionList Partitions { get; init; }

    public required BinNames Bins { get; init; }

    /// What is answered for each record in place of its bins; null: bins.
    public QueryOps? Ops { get; init; }

    /// Empty: all sets, and records without one.
    public required byte[] Set { get; init; }

    /// The condition of the query; null: there is none.
    public ExpProgram? Filter { get; init; }

    public required Info1 Info1 { get; init; }

    public required bool SendsPartitionDone { get; init; }

    /// The client's number of the query (trid); 0 when it gave none.
    public required ulong Id { get; init; }

    public required long RecordsMax { get; init; }

    /// 0: as fast as the client reads.
    public required uint RecordsPerSecond { get; init; }

    /// Milliseconds that the client may take nothing; 0: for ever.
    public required uint SocketTimeout { get; init; }

    public bool IsShort => (Info1 & Info1.ShortQuery) != 0;

    public bool Compresses => (Info1 & Info1.CompressReply) != 0;

    public bool WantsBins => (Info1 & Info1.NoBinData) == 0;
}
