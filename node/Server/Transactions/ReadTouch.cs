using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Server.Metrics;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions;

/// A read that renews the record it read, because little of its life was left. The bins stay as they are; the image is
/// written anew, so that the longer life survives a restart. The read has been answered in any case: when the record
/// changed meanwhile, or there is no room, nothing happens. When the image must be read first, read and touch run again.
internal static class ReadTouch
{
    public static void Run(Worker worker, in RecordCommand command, uint voidTime)
    {
        var outcome = Renew(worker, command, voidTime);
        if (!worker.LacksImage)
        {
            command.Namespace.Counters.Add(worker.Number, outcome);
        }
    }

    private static NamespaceCounter Renew(Worker worker, in RecordCommand command, uint voidTime)
    {
        var records = command.Namespace;
        using var gate = records.Index.Enter(command.Digest.Partition);
        if (records.StopWrites || !records.Index.TryFind(command.Digest, out var handle))
        {
            return NamespaceCounter.ReadTouchSkip;
        }

        var entry = records.Index[handle];
        if (entry.IsHeld || !records.IsLive(entry, worker.NowSeconds) || entry.VoidTime >= voidTime)
        {
            return NamespaceCounter.ReadTouchSkip;
        }

        if (!records.TryOpen(worker, entry, out var image))
        {
            return NamespaceCounter.ReadTouchError;
        }

        var draft = worker.Draft;
        draft.Clear();
        draft.Load(image);
        entry.VoidTime = voidTime;
        entry.LastUpdateTime = Math.Max(worker.LastUpdateTime, entry.LastUpdateTime + 1); // its generation stays
        var sources = new DraftSources(image.Image, default);
        var key = UserKey.Of(default, image);
        var next = new NewImage(key, worker.Draft, sources);
        var stored = ImageStore.Store(worker, records, command.Digest, handle, next, ref entry) == ResultCode.Ok;
        return stored ? NamespaceCounter.ReadTouchSuccess : NamespaceCounter.ReadTouchError;
    }
}
