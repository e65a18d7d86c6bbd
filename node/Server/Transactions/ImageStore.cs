using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// Writes the worker's draft into the log as the image of a record whose metadata the entry holds, and notes in the entry
/// where it lies. The record changes only when the caller publishes the entry.
internal static class ImageStore
{
    public static ResultCode Append(
        Worker worker, Namespace records, in Digest digest, in UserKey key, in DraftSources sources, ref RecordEntry entry)
    {
        var header = new RecordImageHeader
        {
            Digest = digest,
            Generation = entry.Generation,
            LastUpdateTime = entry.LastUpdateTime,
            VoidTime = entry.VoidTime,
            SetId = (ushort)entry.SetId,
            IsTombstone = entry.IsTombstone,
            KeyType = key.Type,
            Key = key.Bytes,
        };
        var draft = worker.Draft;
        var length = DraftImage.Measure(header, draft, sources);
        if (length > records.Options.MaxRecordSize || length > RecordImage.LengthMax)
        {
            return ResultCode.RecordTooBig;
        }

        var writer = records.WriterOf(worker);
        if (!records.Log.TryAppend(writer, length, out var location, out var target))
        {
            return NoRoom(records);
        }

        entry.Place = records.Log.Commit(location, DraftImage.Write(target, header, draft, sources)).Bits;
        records.NoteAppended(writer);
        return ResultCode.Ok;
    }

    /// The command has changed its record. Nobody waits for what a background query writes.
    public static void NoteChange(Worker worker, scoped in RecordCommand command)
    {
        if (command.Namespace.CommitsToDevice && command.Origin != CommandOrigin.OpsSub)
        {
            worker.Commits.Add(command.Namespace, command.Namespace.WriterOf(worker));
        }
    }

    /// Why the log takes nothing: it is full, or its device does not keep up.
    public static ResultCode NoRoom(Namespace records) =>
        records.Log.WriteCachePercent >= 100 ? ResultCode.DeviceOverload : ResultCode.OutOfSpace;
}
