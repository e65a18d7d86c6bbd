using Aerie.Protocol; using Aerie.Server.Records; using Aerie.Server.Service; using Aerie.Server.Transactions;
namespace Aerie.Server.Query;
internal static class QueryCommand { public static bool Is(in Request r) => false; public static LongReply? Start(Worker w, in Request r, ReplyBuffer b, ServiceShared s) => null; }
