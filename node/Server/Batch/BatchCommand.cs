using Aerie.Protocol; using Aerie.Server.Records; using Aerie.Server.Service; using Aerie.Server.Transactions;
namespace Aerie.Server.Batch;
internal static class BatchCommand { public static LongReply? Start(Worker w, in Request r, ReplyBuffer b, ServiceShared s) => null; }
