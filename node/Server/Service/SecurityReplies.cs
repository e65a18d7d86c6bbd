using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Transactions;

namespace Aerie.Server.Service;

/// Security messages on a node without security: clients ask whether they must log in, and go on without when told no.
internal static class SecurityReplies
{
    private const int BodyLength = 16;

    public static void NotEnabled(ReplyBuffer reply)
    {
        var message = reply.Reserve(ProtoHeader.Length + BodyLength);
        message.Clear();
        ProtoHeader.Write(message, ProtoType.Security, BodyLength);
        message[ProtoHeader.Length + 1] = (byte)ResultCode.SecurityNotEnabled; // behind the scheme
        reply.Commit(ProtoHeader.Length + BodyLength);
    }
}
