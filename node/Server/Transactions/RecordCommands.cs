using System.Runtime.CompilerServices;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Transactions.Udfs;

namespace Aerie.Server.Transactions;

/// Sends a command on one record to the transaction that carries it out. Exactly one reply (a message body without
/// framing) is written in every case.
public static class RecordCommands
{
    public static ResultCode Run(Worker worker, in RecordCommand command, ReplyBuffer reply)
    {
        var result = Supports(command);
        if (result != ResultCode.Ok)
        {
            return Refuse(reply, command.BatchIndex, result);
        }

        return command.HasFilter ? RunFiltered(worker, command, reply) : Dispatch(worker, command, reply);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ResultCode RunFiltered(Worker worker, in RecordCommand command, ReplyBuffer reply)
    {
        var result = RecordFilter.Begin(worker, command.Filter);
        result = result == ResultCode.Ok ? Dispatch(worker, command, reply) : Refuse(reply, command.BatchIndex, result);
        RecordFilter.End(worker);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ResultCode Dispatch(Worker worker, in RecordCommand command, ReplyBuffer reply)
    {
        if (command.CallsFunction)
        {
            return Call(worker, command, reply);
        }

        if (!command.IsWrite)
        {
            return command.Asks(Info1.Read)
                ? Read(worker, command, reply)
                : Refuse(reply, command.BatchIndex, ResultCode.Parameter);
        }

        return command.IsDelete ? Delete(worker, command, reply) : Write(worker, command, reply);
    }

    // Apart, so that each command pays for the stack of its own transaction alone: the runtime clears it beforehand.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ResultCode Read(Worker worker, in RecordCommand command, ReplyBuffer reply) =>
        new ReadTransaction(worker, command, reply).Run();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ResultCode Write(Worker worker, in RecordCommand command, ReplyBuffer reply) =>
        new WriteTransaction(worker, command, reply).Run();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ResultCode Delete(Worker worker, in RecordCommand command, ReplyBuffer reply) =>
        new DeleteTransaction(worker, command, reply).Run();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ResultCode Call(Worker worker, in RecordCommand command, ReplyBuffer reply) => command.Udf is { CanCall: true } loop
        ? new UdfTransaction(worker, loop, command, reply).Run()
        : Refuse(reply, command.BatchIndex, ResultCode.Forbidden);

    /// The reply to what never reached a record.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ResultCode Refuse(ReplyBuffer reply, uint batchIndex, ResultCode result) =>
        new RecordReply(reply, batchIndex).Fail(result);

    /// The record that a request means: its digest, or the digest of its key. False: neither is given.
    public static bool TryDigest(in Fields fields, out Digest digest)
    {
        digest = default;
        if (fields.Digest.Length == Digest.Length)
        {
            digest = new Digest(fields.Digest);
            return true;
        }

        if (fields.Digest.Length != 0 || fields.Key.Length < 2)
        {
            return false;
        }

        digest = Ripemd160.OfKey(fields.Set, fields.Key[0], fields.Key[1..]);
        return true;
    }

    /// Whether a command must see the stored image of a record that exists; else the index tells all it needs.
    public static bool NeedsImage(Info1 info1, Info2 info2, in Fields fields) =>
        fields.Has(FieldId.Key) || fields.Has(FieldId.UdfFunction)
        || ((info2 & Info2.Write) != 0 ? (info2 & Info2.Delete) == 0 : (info1 & Info1.NoBinData) == 0);

    // To leave a condition out would be to do what the client did not ask for; so what is not there yet is refused.
    private static ResultCode Supports(in RecordCommand command)
    {
        var fields = command.Fields;
        return fields.Has(FieldId.MrtId) ? ResultCode.UnsupportedFeature : ResultCode.Ok;
    }
}
