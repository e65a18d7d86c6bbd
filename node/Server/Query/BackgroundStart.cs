using Aerie.Foundation;
using Aerie.Io;
using Aerie.Server.Metrics;
using Aerie.Server.Records;
using Aerie.Server.Transactions;

namespace Aerie.Server.Query;

/// The answer to the request for a background query: it has begun. The query itself goes on without the connection.
internal sealed class BackgroundStart(BackgroundQueries queries, QueryPlan plan, BackgroundOps ops) : LongReply
{
    private string _from = "";

    public override void Begin(ConnectionId connection, IIoEngine engine)
    {
        base.Begin(connection, engine);
        _from = engine.PeerOf(connection);
    }

    public override LongReplyProgress Step(Worker worker, ReplyBuffer reply)
    {
        var result = queries.TryStart(plan, ops, _from);
        if (result != ResultCode.Ok)
        {
            plan.Records.Counters.Add(worker.Number, ops.CallsFunction
                ? NamespaceCounter.PiQueryUdfBgError
                : NamespaceCounter.PiQueryOpsBgError);
        }

        var frame = ReplyFrame.Begin(reply);
        frame.AddLast(result);
        frame.End(compresses: false);
        return LongReplyProgress.Done;
    }

    public override void End(bool completed)
    {
    }
}
