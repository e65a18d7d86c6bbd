using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Transactions;

namespace Aerie.Server.Query;

/// Read operations that a query answers for each record instead of whole bins, independent of the buffer that it came in.
internal sealed class QueryOps
{
    private readonly byte[] _bytes;
    private readonly int _count;

    private QueryOps(in Request request)
    {
        _bytes = request.OpBytes.ToArray();
        _count = request.Header.OpCount;
        RespondsAll = (request.Header.Info2 & Info2.RespondAllOps) != 0;
    }

    public bool RespondsAll { get; }

    public Ops Ops => new(_bytes, _count);

    /// Null: there are none but reads of bins, which need no operations.
    public static ResultCode TryRead(Worker worker, in Request request, out QueryOps? ops)
    {
        ops = null;
        var isComputed = false;
        var left = request.Ops;
        while (left.TryNext(out var op))
        {
            isComputed |= OpTable.Of(op.Code).IsComputed;
        }

        if (!isComputed || (request.Header.Info1 & Info1.NoBinData) != 0)
        {
            return ResultCode.Ok;
        }

        ops = new QueryOps(request);
        return ReadOps.CheckAll(worker, request.Ops);
    }
}
