using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Transactions;

namespace Aerie.Server.Query;

/// What a background query does to each of its records, independent of the buffer that it came in.
internal sealed class BackgroundOps
{
    /// Conditions and replies that make sense for one record, not for many. To leave one out would be to write what the
    /// client did not ask for.
    private const Info2 Refused2 = Info2.Delete | Info2.GenerationEqual | Info2.GenerationGreater | Info2.CreateOnly;
    private const Info3 Refused3 = Info3.CreateOrReplace | Info3.ReplaceOnly;

    private readonly byte[] _bytes;
    private readonly int _count;
    private readonly Info2 _info2;
    private readonly uint _ttl;

    private BackgroundOps(in Request request)
    {
        _bytes = request.OpBytes.ToArray();
        _count = request.Header.OpCount;
        _info2 = Info2.Write | (request.Header.Info2 & Info2.DurableDelete);
        _ttl = request.Header.Ttl;
    }

    public int Length => _bytes.Length;

    /// Write operations only: nobody would receive what a read finds.
    public static ResultCode TryRead(in Request request, Namespace records, out BackgroundOps? ops)
    {
        ops = null;
        var header = request.Header;
        if ((header.Info2 & Refused2) != 0 || (header.Info3 & Refused3) != 0 || header.OpCount == 0)
        {
            return ResultCode.Parameter;
        }

        var read = new BackgroundOps(request);
        var result = WritePlan.Make(read.CommandFor(records, default), out var plan);
        if (result != ResultCode.Ok || plan.HasReads)
        {
            return result == ResultCode.Ok ? ResultCode.Parameter : result;
        }

        ops = read;
        return ResultCode.Ok;
    }

    /// A record that is gone by now must not come to be again.
    public RecordCommand CommandFor(Namespace records, in Digest digest) => new()
    {
        Namespace = records,
        Digest = digest,
        Info2 = _info2,
        Info3 = Info3.UpdateOnly,
        Ttl = _ttl,
        OpBytes = _bytes,
        OpCount = _count,
        Origin = CommandOrigin.OpsSub,
    };
}
