using Aerie.DataModel.Packed;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Transactions;
using Aerie.Server.Transactions.Parking;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Query;

/// What a background query does to each of its records, independent of the buffer that it came in: write operations, or a call of
/// a function.
internal sealed class BackgroundOps
{
    /// Conditions and replies that make sense for one record, not for many. To leave one out would be to write what the
    /// client did not ask for.
    private const Info2 Refused2 = Info2.Delete | Info2.GenerationEqual | Info2.GenerationGreater | Info2.CreateOnly;
    private const Info3 Refused3 = Info3.CreateOrReplace | Info3.ReplaceOnly;

    /// For one call of a function: nobody waits for it, but others wait for their turn.
    private const long FunctionNanoseconds = 1_000_000_000;

    private static readonly FieldId[] CallFields = [FieldId.UdfModule, FieldId.UdfFunction, FieldId.UdfArguments];

    private readonly byte[] _bytes;
    private readonly byte[] _fields;
    private readonly byte[] _filter;
    private readonly int _fieldCount;
    private readonly int _count;
    private readonly Info2 _info2;
    private readonly uint _ttl;

    private BackgroundOps(in Request request)
    {
        _bytes = request.OpBytes.ToArray();
        _count = request.Header.OpCount;
        _info2 = Info2.Write | (request.Header.Info2 & Info2.DurableDelete);
        _ttl = request.Header.Ttl;
        _filter = request.Fields.Get(FieldId.Filter).ToArray();
        _fields = CopyOfCall(request.Fields, out _fieldCount);
    }

    public bool CallsFunction => _fieldCount > 0;

    public int Length => _bytes.Length + _fields.Length + _filter.Length;

    /// Write operations only: nobody would receive what a read finds.
    public static ResultCode TryRead(in Request request, Namespace records, out BackgroundOps? ops)
    {
        ops = null;
        var header = request.Header;
        var read = new BackgroundOps(request);
        if ((header.Info2 & Refused2) != 0 || (header.Info3 & Refused3) != 0)
        {
            return ResultCode.Parameter;
        }

        if (request.Fields.Has(FieldId.UdfOp))
        {
            ops = read;
            return request.Fields.Has(FieldId.UdfFunction) && header.OpCount == 0 ? ResultCode.Ok : ResultCode.Parameter;
        }

        var result = WritePlan.Make(read.CommandFor(records, default, null, 0, null), out var plan);
        if (result != ResultCode.Ok || plan.HasReads)
        {
            return result == ResultCode.Ok ? ResultCode.Parameter : result;
        }

        ops = read;
        return ResultCode.Ok;
    }

    /// A record that is gone by now must not come to be again.
    public RecordCommand CommandFor(
        Namespace records, in Digest digest, UdfLoop? udfs, long now, UnfinishedCommand? unfinished)
    {
        var read = Fields.TryRead(_fields, _fieldCount, out var fields);
        Invariant.Holds(read);
        return new RecordCommand
        {
            Namespace = records,
            Digest = digest,
            Info2 = _info2,
            Info3 = Info3.UpdateOnly,
            Ttl = _ttl,
            Fields = fields,
            SharedFilter = _filter,
            OpBytes = _bytes,
            OpCount = _count,
            Parking = unfinished?.Parking,
            OwnsHold = unfinished is not null && unfinished.Begin(),
            Udf = udfs,
            Deadline = now + FunctionNanoseconds,
            Origin = CallsFunction ? CommandOrigin.UdfSub : CommandOrigin.OpsSub,
        };
    }

    private static byte[] CopyOfCall(in Fields fields, out int count)
    {
        count = 0;
        var copy = new GrowingBytes(int.MaxValue);
        foreach (var id in CallFields)
        {
            if (fields.TryGet(id, out var data))
            {
                copy.Commit(ReplyFormat.WriteField(copy.Reserve(ReplyFormat.FieldLength(data.Length)), id, data));
                count++;
            }
        }

        return copy.Read(0, copy.Length).ToArray();
    }
}
