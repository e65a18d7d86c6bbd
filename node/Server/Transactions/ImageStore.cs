using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// What an image is made of beside the metadata: the key, and the bins of a draft that refer to the sources.
internal readonly ref struct NewImage(UserKey key, RecordDraft draft, DraftSources sources)
{
    public readonly UserKey Key = key;
    public readonly RecordDraft Draft = draft;
    public readonly DraftSources Sources = sources;
}

/// Makes a draft the state of a record: writes it into the log as an image with the entry's metadata, then points
/// the index at it.
internal static class ImageStore
{
    /// The entry has the metadata that the record will have; its place is noted there. When it fails, nothing has changed.
    /// Caller holds the gate; the handle is none for a new record.
    public static ResultCode Store(
        Worker worker,
        Namespace records,
        in Digest digest,
        EntryHandle handle,
        scoped in NewImage image,
        ref RecordEntry entry)
    {
        if (!records.TryReady(worker, digest, ref handle, entry, out var hasEnded))
        {
            return NoRoom(records);
        }

        var result = Append(worker, records, digest, image, ref entry);
        if (result != ResultCode.Ok)
        {
            records.TakeBack(worker, digest, handle, hasEnded);
            return result;
        }

        records.Publish(worker, digest, handle, entry);
        return ResultCode.Ok;
    }

    private static ResultCode Append(
        Worker worker, Namespace records, in Digest digest, scoped in NewImage image, ref RecordEntry entry)
    {
        var header = new RecordImageHeader
        {
            Digest = digest,
            Generation = entry.Generation,
            LastUpdateTime = entry.LastUpdateTime,
            VoidTime = entry.VoidTime,
            SetId = (ushort)entry.SetId,
            IsTombstone = entry.IsTombstone,
            KeyType = image.Key.Type,
            Key = image.Key.Bytes,
        };
        var length = DraftImage.Measure(header, image.Draft, image.Sources);
        var codecs = records.Codecs is { Coding.StoresPlain: false } needed ? needed : null;
        var stored = codecs is null ? length : codecs.Coding.EncodedLengthMax(length);
        if (length > records.Options.MaxRecordSize || length > RecordImage.LengthMax || stored > records.Log.ImageLengthMax)
        {
            return ResultCode.RecordTooBig;
        }

        var writer = records.WriterOf(worker);
        if (!records.Log.TryAppend(writer, stored, out var location, out var target))
        {
            return NoRoom(records);
        }

        var units = codecs is null
            ? DraftImage.Write(target, header, image.Draft, image.Sources)
            : WriteEncoded(worker, codecs, length, target, header, image);
        entry.Place = records.Log.Commit(location, units).Bits;
        records.NoteAppended(writer);
        return ResultCode.Ok;
    }

    // The plain image is never seen outside the worker's memory. Settings may change meanwhile: the room suits them all.
    private static int WriteEncoded(
        Worker worker, NamespaceCodecs codecs, int length, Span<byte> target, in RecordImageHeader header, scoped in NewImage image)
    {
        var plain = worker.Scratch.Written(StorageUnit.Padded(length));
        DraftImage.Write(plain, header, image.Draft, image.Sources);
        return codecs.Encode(worker, plain, target) / StorageUnit.Length;
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
