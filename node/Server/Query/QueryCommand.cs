using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Transactions;

namespace Aerie.Server.Query;

/// What the queries of all loops have in common.
public sealed record QueryShared(Namespaces Namespaces, StripedCounters<NodeCounter> Counters, QueryRegistry Registry);

/// The start of a query: what is asked for is checked and noted, and a QueryReply walks the partitions. What the node
/// cannot do yet is refused: to leave a condition out would be to answer another question.
internal static class QueryCommand
{
    /// The reference's, for clients that name none.
    private const uint SocketTimeoutDefault = 10_000;

    /// A message that names no record is meant for many.
    public static bool Is(in Request request) => !request.Fields.Has(FieldId.Digest) && !request.Fields.Has(FieldId.Key);

    public static LongReply? Start(Worker worker, in Request request, ReplyBuffer reply, QueryShared shared)
    {
        var records = shared.Namespaces.Find(request.Fields.Namespace);
        var result = records is null ? ResultCode.Namespace : Supports(request);
        if (result == ResultCode.Ok)
        {
            result = TryPlan(request, records!, out var plan);
            if (result == ResultCode.Ok)
            {
                return new QueryReply(worker, plan!, shared.Registry);
            }
        }

        if (records is null)
        {
            shared.Counters.Add(worker.Number, NodeCounter.EarlyTsvcClientError);
        }
        else
        {
            var isShort = (request.Header.Info1 & Info1.ShortQuery) != 0;
            records.Counters.Add(
                worker.Number, isShort ? NamespaceCounter.PiQueryShortBasicError : NamespaceCounter.PiQueryLongBasicError);
        }

        var frame = ReplyFrame.Begin(reply);
        frame.AddLast(result);
        frame.End(compresses: false);
        return null;
    }

    private static ResultCode Supports(in Request request)
    {
        var fields = request.Fields;
        if ((request.Header.Info2 & (Info2.Write | Info2.Delete)) != 0 || fields.Has(FieldId.UdfOp) || fields.Has(FieldId.UdfFunction)
            || fields.Has(FieldId.Filter) || fields.Has(FieldId.MrtId))
        {
            return ResultCode.UnsupportedFeature;
        }

        if (fields.Has(FieldId.IndexRange) || fields.Has(FieldId.IndexName) || fields.Has(FieldId.IndexContext)
            || fields.Has(FieldId.IndexExpression) || fields.Has(FieldId.IndexType) || fields.Has(FieldId.BvalArray))
        {
            return ResultCode.IndexNotFound;
        }

        return (request.Header.Info1 & Info1.Read) != 0 ? ResultCode.Ok : ResultCode.Parameter;
    }

    private static ResultCode TryPlan(in Request request, Namespace records, out QueryPlan? plan)
    {
        plan = null;
        var fields = request.Fields;
        if (!PartitionList.TryRead(fields, out var partitions)
            || !TryNumber(fields, FieldId.QueryId, sizeof(ulong), out var id)
            || !TryNumber(fields, FieldId.MaxRecords, sizeof(ulong), out var recordsMax)
            || !TryNumber(fields, FieldId.RecordsPerSecond, sizeof(uint), out var perSecond)
            || !TryNumber(fields, FieldId.SocketTimeout, sizeof(uint), out var socketTimeout)
            || fields.Set.Length > SetTable.NameLengthMax)
        {
            return ResultCode.Parameter;
        }

        var result = BinNames.TryRead(request, out var bins);
        if (result != ResultCode.Ok)
        {
            return result;
        }

        plan = new QueryPlan
        {
            Records = records,
            Partitions = partitions!,
            Bins = bins,
            Set = fields.Set.ToArray(),
            Info1 = request.Header.Info1,
            SendsPartitionDone = partitions!.IsListed && (request.Header.Info3 & Info3.PartitionDone) == 0,
            Id = id,
            RecordsMax = recordsMax == 0 ? long.MaxValue : (long)Math.Min(recordsMax, long.MaxValue),
            RecordsPerSecond = (uint)perSecond,
            SocketTimeout = fields.Has(FieldId.SocketTimeout) ? (uint)socketTimeout : SocketTimeoutDefault,
        };
        return ResultCode.Ok;
    }

    // A field that is not there reads as 0; one of another length is malformed.
    private static bool TryNumber(in Fields fields, FieldId id, int length, out ulong value)
    {
        value = 0;
        if (!fields.TryGet(id, out var data))
        {
            return true;
        }

        if (data.Length != length)
        {
            return false;
        }

        value = length == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(data) : BinaryPrimitives.ReadUInt64BigEndian(data);
        return true;
    }
}
