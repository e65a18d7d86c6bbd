using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Client.Wire;

/// One method per request of the protocol: policies and keys in, the bytes of one message out.
public static class Requests
{
    /// No bins: all of them.
    public static void Read(MessageWriter writer, Policy policy, Key key, ReadOnlySpan<string> bins)
    {
        var info = bins.IsEmpty ? Info1.Read | Info1.GetAll : Info1.Read;
        writer.Begin(new RequestHeader(info, TimeoutMilliseconds: Milliseconds(policy.TotalTimeout)));
        Address(writer, policy, key);
        foreach (var bin in bins)
        {
            writer.Operation(Operation.Get(bin));
        }

        writer.End();
    }

    /// Existence, generation and void-time without any bin.
    public static void ReadHeader(MessageWriter writer, Policy policy, Key key)
    {
        writer.Begin(new RequestHeader(Info1.Read | Info1.NoBinData, TimeoutMilliseconds: Milliseconds(policy.TotalTimeout)));
        Address(writer, policy, key);
        writer.End();
    }

    /// Put, append, prepend and add: the same operation on each bin.
    public static void Write(MessageWriter writer, WritePolicy policy, Key key, OpCode kind, ReadOnlySpan<Bin> bins)
    {
        BeginWrite(writer, policy, key, Info1.None, Info2.Write);
        foreach (var bin in bins)
        {
            writer.Operation(new Operation(kind, bin.Name, bin.Value));
        }

        writer.End();
    }

    public static void Touch(MessageWriter writer, WritePolicy policy, Key key)
    {
        BeginWrite(writer, policy, key, Info1.None, Info2.Write);
        writer.Operation(Operation.Touch());
        writer.End();
    }

    public static void Delete(MessageWriter writer, WritePolicy policy, Key key)
    {
        BeginWrite(writer, policy, key, Info1.None, Info2.Write | Info2.Delete);
        writer.End();
    }

    public static void Operate(MessageWriter writer, WritePolicy policy, Key key, IReadOnlyList<Operation> operations)
    {
        var (info1, info2) = AttributesOf(operations, policy.RespondAllOperations);
        BeginWrite(writer, policy, key, info1, info2);
        for (var i = 0; i < operations.Count; i++)
        {
            writer.Operation(operations[i]);
        }

        writer.End();
    }

    public static void Execute(MessageWriter writer, WritePolicy policy, Key key, FunctionCall call)
    {
        BeginWrite(writer, policy, key, Info1.None, Info2.Write);
        writer.Field(FieldId.UdfModule, call.Module);
        writer.Field(FieldId.UdfFunction, call.Function);
        writer.Field(FieldId.UdfArguments, call.Arguments);
        writer.End();
    }

    /// The entries at the given places of the list; their places come back as batch indexes.
    public static void Batch(MessageWriter writer, BatchPolicy policy, IReadOnlyList<BatchEntry> entries, ReadOnlySpan<int> places)
    {
        writer.Begin(new RequestHeader(Info1.Batch, TimeoutMilliseconds: Milliseconds(policy.TotalTimeout)));
        Filter(writer, policy);
        var field = writer.BeginField(FieldId.Batch);
        writer.UInt32((uint)places.Length);
        var flags = policy.AllowInline ? BatchFlags.InlineMemory : BatchFlags.None;
        writer.Byte((byte)(policy.RespondAllKeys ? flags | BatchFlags.RespondAllKeys : flags));

        BatchEntry? previous = null;
        foreach (var place in places)
        {
            var entry = entries[place];
            writer.UInt32((uint)place);
            writer.DigestBytes(entry.Key.Digest);
            if (previous is not null && IsRepeat(previous, entry))
            {
                writer.Byte((byte)BatchRowForm.Repeat);
            }
            else
            {
                BatchKey(writer, entry);
                previous = entry;
            }
        }

        writer.EndField(field);
        writer.End();
    }

    public static void Query(MessageWriter writer, QueryPolicy policy, in QueryRequest request)
    {
        var info1 = policy.IncludeBinData ? Info1.Read : Info1.Read | Info1.NoBinData;
        // Without the bit the node would also report every partition that ended well.
        writer.Begin(new RequestHeader(info1, Info3: Info3.PartitionDone, TimeoutMilliseconds: Milliseconds(policy.TotalTimeout)));
        writer.Field(FieldId.Namespace, request.Statement.Namespace);
        if (request.Statement.Set.Length > 0)
        {
            writer.Field(FieldId.Set, request.Statement.Set);
        }

        Partitions(writer, request);
        if (request.MaxRecords > 0)
        {
            writer.Field(FieldId.MaxRecords, (ulong)request.MaxRecords);
        }

        if (policy.RecordsPerSecond > 0)
        {
            writer.Field(FieldId.RecordsPerSecond, policy.RecordsPerSecond);
        }

        writer.Field(FieldId.SocketTimeout, (uint)Milliseconds(policy.SocketTimeout));
        writer.Field(FieldId.QueryId, request.QueryId);
        Filter(writer, policy);
        foreach (var bin in request.Statement.Bins)
        {
            writer.Operation(Operation.Get(bin));
        }

        writer.End();
    }

    internal static int Milliseconds(TimeSpan time) => (int)Math.Min(time.TotalMilliseconds, int.MaxValue);

    private static void Partitions(MessageWriter writer, in QueryRequest request)
    {
        if (request.WholePartitions.Count > 0)
        {
            var field = writer.BeginField(FieldId.Partitions);
            foreach (var partition in request.WholePartitions)
            {
                writer.UInt16LittleEndian((ushort)partition);
            }

            writer.EndField(field);
        }

        if (request.ResumeAfter.Count > 0)
        {
            var field = writer.BeginField(FieldId.ResumeDigests);
            foreach (var digest in request.ResumeAfter)
            {
                writer.DigestBytes(digest);
            }

            writer.EndField(field);
        }
    }

    private static void BeginWrite(MessageWriter writer, WritePolicy policy, Key key, Info1 info1, Info2 info2)
    {
        if ((info2 & Info2.Write) != 0)
        {
            info2 |= WriteAttributes(policy);
        }

        var info3 = (info2 & Info2.Write) != 0 ? CommitAttributes(policy) : Info3.None;
        var generation = policy.GenerationPolicy == GenerationPolicy.None ? 0 : policy.Generation;
        writer.Begin(new RequestHeader(info1, info2, info3, generation, policy.Ttl, Milliseconds(policy.TotalTimeout)));
        Address(writer, policy, key);
        if (policy.SendKey && !key.UserKey.IsNull)
        {
            writer.KeyField(key.UserKey);
        }
    }

    private static void Address(MessageWriter writer, Policy policy, Key key)
    {
        writer.Field(FieldId.Namespace, key.Namespace);
        if (key.Set.Length > 0)
        {
            writer.Field(FieldId.Set, key.Set);
        }

        writer.Field(FieldId.Digest, key.Digest);
        Filter(writer, policy);
    }

    private static void Filter(MessageWriter writer, Policy policy)
    {
        if (policy.Filter is { } filter)
        {
            writer.Field(FieldId.Filter, filter);
        }
    }

    private static Info2 WriteAttributes(WritePolicy policy)
    {
        var info2 = policy.GenerationPolicy switch
        {
            GenerationPolicy.ExpectEqual => Info2.GenerationEqual,
            GenerationPolicy.ExpectGreater => Info2.GenerationGreater,
            _ => Info2.None,
        };
        info2 |= policy.Exists == ExistsAction.CreateOnly ? Info2.CreateOnly : Info2.None;
        return info2 | (policy.DurableDelete ? Info2.DurableDelete : Info2.None);
    }

    private static Info3 CommitAttributes(WritePolicy policy)
    {
        var info3 = policy.Exists switch
        {
            ExistsAction.UpdateOnly => Info3.UpdateOnly,
            ExistsAction.Replace => Info3.CreateOrReplace,
            ExistsAction.ReplaceOnly => Info3.ReplaceOnly,
            _ => Info3.None,
        };
        return info3 | (policy.CommitToMasterOnly ? Info3.CommitMaster : Info3.None);
    }

    private static (Info1 Info1, Info2 Info2) AttributesOf(IReadOnlyList<Operation> operations, bool respondAll)
    {
        var info1 = Info1.None;
        var info2 = Info2.None;
        for (var i = 0; i < operations.Count; i++)
        {
            if (operations[i].IsWrite)
            {
                info2 |= Info2.Write;
                continue;
            }

            info1 |= Info1.Read;
            if (operations[i].Kind == OpCode.Read && operations[i].Bin.Length == 0)
            {
                info1 |= Info1.GetAll;
            }
        }

        // The protocol has no place for a result per operation beside "all bins".
        var respond = respondAll && (info1 & Info1.GetAll) == 0;
        return (info1, respond ? info2 | Info2.RespondAllOps : info2);
    }

    private static bool IsRepeat(BatchEntry previous, BatchEntry entry) =>
        previous.Key.Namespace == entry.Key.Namespace
        && previous.Key.Set == entry.Key.Set
        && ReferenceEquals(previous.Policy, entry.Policy)
        && ReferenceEquals(previous.Function, entry.Function)
        && entry.Policy is not { SendKey: true }
        && previous.Operations.SequenceEqual(entry.Operations);

    private static void BatchKey(MessageWriter writer, BatchEntry entry)
    {
        var policy = entry.Policy ?? WritePolicy.Default;
        var writes = entry.HasWrite;
        var (info1, info2) = AttributesOf(entry);
        var form = BatchRowForm.HasInfo | BatchRowForm.HasTtl;
        writer.Byte((byte)(writes ? form | BatchRowForm.HasGeneration : form));
        writer.Byte((byte)info1);
        writer.Byte((byte)(writes ? info2 | WriteAttributes(policy) : info2));
        writer.Byte((byte)(writes ? CommitAttributes(policy) : Info3.None));
        if (writes)
        {
            writer.UInt16((ushort)(policy.GenerationPolicy == GenerationPolicy.None ? 0 : policy.Generation));
        }

        writer.UInt32(writes ? policy.Ttl : 0);
        BatchFields(writer, entry, sendKey: writes && policy.SendKey && !entry.Key.UserKey.IsNull);
        foreach (var operation in entry.Operations)
        {
            writer.NestedOperation(operation);
        }
    }

    private static (Info1 Info1, Info2 Info2) AttributesOf(BatchEntry entry) => entry switch
    {
        { Function: not null } => (Info1.None, Info2.Write),
        { Operations.Count: 0 } => (Info1.Read | Info1.GetAll, Info2.None),
        _ => AttributesOf(entry.Operations, respondAll: entry.HasWrite),
    };

    private static void BatchFields(MessageWriter writer, BatchEntry entry, bool sendKey)
    {
        const int AddressFields = 2;
        const int FunctionFields = 3;
        var filter = entry.Policy?.Filter;
        var fields = AddressFields + (sendKey ? 1 : 0) + (filter is null ? 0 : 1) + (entry.Function is null ? 0 : FunctionFields);
        writer.UInt16((ushort)fields);
        writer.UInt16((ushort)entry.Operations.Count);
        Nested(writer, FieldId.Namespace, entry.Key.Namespace);
        Nested(writer, FieldId.Set, entry.Key.Set);
        if (sendKey)
        {
            writer.NestedKeyField(entry.Key.UserKey);
        }

        if (filter is not null)
        {
            writer.NestedField(FieldId.Filter, filter);
        }

        if (entry.Function is { } call)
        {
            Nested(writer, FieldId.UdfModule, call.Module);
            Nested(writer, FieldId.UdfFunction, call.Function);
            writer.NestedField(FieldId.UdfArguments, call.Arguments);
        }
    }

    private static void Nested(MessageWriter writer, FieldId type, string text)
    {
        var start = writer.BeginNestedField(type);
        writer.Text(text);
        writer.EndField(start);
    }
}

/// What one node is asked for: partitions from their start, others behind the last digest seen.
public readonly record struct QueryRequest(
    Statement Statement, IReadOnlyList<int> WholePartitions, IReadOnlyList<Digest> ResumeAfter, long MaxRecords, ulong QueryId);
