using System.Buffers.Binary;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Transactions;

namespace Aerie.Server.Query;

/// What the queries of all loops have in common.
public sealed record QueryShared(Namespaces Namespaces, StripedCounters<NodeCounter> Counters, QueryRegistry Registry);

/// The start of a query: what is asked for is checked and noted, and a QueryReply walks the partitions, or a
/// BackgroundQuery when the client asks for writes. What the node cannot do yet is refused: to leave a condition out would be
/// to answer another question.
internal static class QueryCommand
{
    /// The reference's, for clients that name none.
    private const uint SocketTimeoutDefault = 10_000;

    /// A message that names no record is meant for many.
    public static bool Is(in Request request) => !request.Fields.Has(FieldId.Digest) && !request.Fields.Has(FieldId.Key);

    public static LongReply? Start(BackgroundQueries background, in Request request, ReplyBuffer reply)
    {
        var shared = background.Shared;
        var number = background.Worker.Number;
        var records = shared.Namespaces.Find(request.Fields.Namespace);
        LongReply? started = null;
        var result = records is null ? ResultCode.Namespace
            : IsWrite(request) || CallsInBackground(request.Fields) ? TryStartBackground(background, request, records, out started)
            : TryStartReply(background, request, records, out started);
        if (started is not null)
        {
            return started;
        }

        if (records is null)
        {
            shared.Counters.Add(number, NodeCounter.EarlyTsvcClientError);
        }
        else
        {
            records.Counters.Add(number, CounterOfRefusal(request));
        }

        var frame = ReplyFrame.Begin(reply);
        frame.AddLast(result);
        frame.End(compresses: false);
        return null;
    }

    // Field 33: 2 is a function for each record, 1 an aggregation.
    private static bool CallsInBackground(in Fields fields) => fields.Get(FieldId.UdfOp) is [2];

    private static bool IsWrite(in Request request) => (request.Header.Info2 & (Info2.Write | Info2.Delete)) != 0;

    private static NamespaceCounter CounterOfRefusal(in Request request) =>
        CallsInBackground(request.Fields) ? NamespaceCounter.PiQueryUdfBgError
        : IsWrite(request) ? NamespaceCounter.PiQueryOpsBgError
        : (request.Header.Info1 & Info1.ShortQuery) != 0 ? NamespaceCounter.PiQueryShortBasicError
        : NamespaceCounter.PiQueryLongBasicError;

    private static ResultCode TryStartReply(BackgroundQueries background, in Request request, Namespace records, out LongReply? started)
    {
        started = null;
        var result = Supports(request.Fields, mayCall: false);
        if (result == ResultCode.Ok && (request.Header.Info1 & Info1.Read) == 0)
        {
            result = ResultCode.Parameter;
        }

        if (result == ResultCode.Ok)
        {
            result = QueryOps.TryRead(background.Worker, request, out var ops);
            var bins = BinNames.All;
            result = result != ResultCode.Ok || ops is not null ? result : BinNames.TryRead(request, out bins);
            if (result == ResultCode.Ok && TryPlan(request, records, bins, out var plan))
            {
                started = new QueryReply(background.Loop, plan! with { Ops = ops }, background.Shared.Registry);
            }
        }

        return result == ResultCode.Ok && started is null ? ResultCode.Parameter : result;
    }

    private static ResultCode TryStartBackground(
        BackgroundQueries background, in Request request, Namespace records, out LongReply? started)
    {
        started = null;
        var result = Supports(request.Fields, mayCall: true);
        if (result != ResultCode.Ok || (result = BackgroundOps.TryRead(request, records, out var ops)) != ResultCode.Ok)
        {
            return result;
        }

        if (!TryPlan(request, records, BinNames.All, out var plan))
        {
            return ResultCode.Parameter;
        }

        started = new BackgroundStart(background, plan!, ops!);
        return ResultCode.Ok;
    }

    private static ResultCode Supports(in Fields fields, bool mayCall)
    {
        if (fields.Has(FieldId.MrtId) || (fields.Has(FieldId.UdfOp) && !(mayCall && CallsInBackground(fields))))
        {
            return ResultCode.UnsupportedFeature;
        }

        return fields.Has(FieldId.IndexRange) || fields.Has(FieldId.IndexName) || fields.Has(FieldId.IndexContext)
            || fields.Has(FieldId.IndexExpression) || fields.Has(FieldId.IndexType) || fields.Has(FieldId.BvalArray)
            ? ResultCode.IndexNotFound
            : ResultCode.Ok;
    }

    private static bool TryPlan(in Request request, Namespace records, BinNames bins, out QueryPlan? plan)
    {
        plan = null;
        var fields = request.Fields;
        if (!PartitionList.TryRead(fields, out var partitions)
            || !TryNumber(fields, FieldId.QueryId, sizeof(ulong), out var id)
            || !TryNumber(fields, FieldId.MaxRecords, sizeof(ulong), out var recordsMax)
            || !TryNumber(fields, FieldId.RecordsPerSecond, sizeof(uint), out var perSecond)
            || !TryNumber(fields, FieldId.SocketTimeout, sizeof(uint), out var socketTimeout)
            || fields.Set.Length > SetTable.NameLengthMax
            || !TryFilter(fields, out var filter))
        {
            return false;
        }

        plan = new QueryPlan
        {
            Records = records,
            Partitions = partitions!,
            Bins = bins,
            Set = fields.Set.ToArray(),
            Filter = filter,
            Info1 = request.Header.Info1,
            SendsPartitionDone = partitions!.IsListed && (request.Header.Info3 & Info3.PartitionDone) == 0,
            Id = id,
            RecordsMax = recordsMax == 0 ? long.MaxValue : (long)Math.Min(recordsMax, long.MaxValue),
            RecordsPerSecond = (uint)perSecond,
            SocketTimeout = fields.Has(FieldId.SocketTimeout) ? (uint)socketTimeout : SocketTimeoutDefault,
        };
        return true;
    }

    private static bool TryFilter(in Fields fields, out ExpProgram? filter)
    {
        filter = null;
        if (!fields.TryGet(FieldId.Filter, out var packed))
        {
            return true;
        }

        filter = new ExpProgram();
        return ExpCompiler.CompileFilter(packed, filter) == ResultCode.Ok;
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
