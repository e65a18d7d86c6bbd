using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions;

/// The metadata that a record will have when it is written: set, generation, times.
internal static class NewVersion
{
    /// `ttl` as clients say it. A tombstone's successor goes on counting its generation. Caller holds the gate.
    public static ResultCode Describe(Worker worker, scoped in RecordCommand command, uint ttl, bool exists, ref RecordEntry entry)
    {
        var records = command.Namespace;
        if (!exists)
        {
            var result = ChooseSet(records, command.Fields.Set, out var setId);
            if (result != ResultCode.Ok)
            {
                return result;
            }

            entry.SetId = setId;
            entry.Generation = entry.IsTombstone ? entry.Generation : (ushort)0;
            entry.IsTombstone = false;
        }

        var lifetime = new LifetimeRequest(ttl, worker.NowSeconds, exists, entry.VoidTime);
        entry.Generation = WritePolicy.NextGeneration(entry.Generation);
        entry.LastUpdateTime = records.NextUpdateTime(worker, command.Digest, entry, exists);
        var allowed = RecordLifetime.VoidTimeOfWrite(lifetime, records.Options, records.SetOptionsOf(entry.SetId), out var voidTime);
        entry.VoidTime = voidTime;
        return allowed;
    }

    private static ResultCode ChooseSet(Namespace records, ReadOnlySpan<byte> name, out int setId)
    {
        setId = 0;
        if (name.IsEmpty)
        {
            return records.Options.DisallowNullSetname ? ResultCode.Parameter : ResultCode.Ok;
        }

        if (!records.Sets.TryFindOrAdd(name, out var set))
        {
            return ResultCode.Parameter;
        }

        setId = set.Id;
        return records.IsSetFull(set) ? ResultCode.Forbidden : ResultCode.Ok;
    }
}
