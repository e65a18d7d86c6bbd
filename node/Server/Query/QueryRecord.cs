using System.Buffers.Binary;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Protocol;
using Aerie.Server.Records;
using Aerie.Server.Transactions;
using Aerie.Storage;

namespace Aerie.Server.Query;

/// One record as a query returns it: where it belongs, its digest, its key if it has one, and the bins. Copied from the
/// image straight into the reply, under the gate of the partition.
internal readonly ref struct QueryRecord(QueryPlan plan, Worker worker, ReplyBuffer reply)
{
    /// Fields of a record but its key, at their longest.
    private const int FieldsMax = 256;

    /// From here on a lookup by hash is cheaper than comparing each name with each bin.
    private const int ComparisonsMax = 256;

    /// False: nothing was written, because the image must be read first, or cannot be read at all, or the query's condition keeps
    /// the record out.
    public bool TryWrite(in RecordEntry entry, in Digest digest)
    {
        var isDecided = true;
        if ((plan.Filter is not null && !RecordFilter.MayPass(worker, plan.Records, digest, entry, out isDecided))
            || !plan.Records.TryOpen(worker, entry, out var image)
            || (!isDecided && !RecordFilter.Passes(worker, plan.Records, digest, entry, image)))
        {
            return false;
        }

        if (plan.Ops is not null)
        {
            WriteOps(entry, digest, image);
            return true;
        }

        var binsMax = plan.WantsBins ? image.BinCount : 0;
        var target = reply.Reserve(MessageHeader.Length + FieldsMax + image.Image.Length + (binsMax * Op.HeaderLength));
        var at = MessageHeader.Length;
        var fields = WriteFields(target, ref at, entry.SetId, digest, image);
        var ops = !plan.WantsBins ? 0
            : plan.Bins.AreAll ? WriteAll(target, ref at, image)
            : plan.Bins.Count * image.BinCount <= ComparisonsMax ? WriteNamed(target, ref at, image)
            : WriteNamedByHash(target, ref at, image);
        new MessageHeader
        {
            Generation = entry.Generation,
            Ttl = entry.VoidTime,
            FieldCount = (ushort)fields,
            OpCount = (ushort)ops,
        }.Write(target);
        reply.Commit(at);
        return true;
    }

    private void WriteOps(in RecordEntry entry, in Digest digest, scoped in RecordImageReader image)
    {
        var record = new RecordReply(reply, 0);
        var target = reply.Reserve(FieldsMax + image.Key.Length);
        var at = 0;
        record.Fields = WriteFields(target, ref at, entry.SetId, digest, image);
        reply.Commit(at);
        new ReadOps(worker, plan.Records, plan.Ops!.Ops, plan.Ops.RespondsAll) { SkipsFailed = true }.Run(digest, entry, image, ref record);
        record.Finish(entry.Generation, entry.VoidTime);
    }

    private int WriteFields(Span<byte> target, ref int at, int setId, in Digest digest, in RecordImageReader image)
    {
        var count = 2;
        at += ReplyFormat.WriteField(target[at..], FieldId.Namespace, plan.Records.NameBytes);
        if (setId != 0)
        {
            at += ReplyFormat.WriteField(target[at..], FieldId.Set, plan.Records.Sets[setId].Name);
            count++;
        }

        Span<byte> digestBytes = stackalloc byte[Digest.Length];
        digest.CopyTo(digestBytes);
        at += ReplyFormat.WriteField(target[at..], FieldId.Digest, digestBytes);
        if (image.HasKey)
        {
            var length = ReplyFormat.WriteField(target[at..], FieldId.Key, [image.KeyType]);
            image.Key.CopyTo(target[(at + length)..]);
            BinaryPrimitives.WriteUInt32BigEndian(target[at..], (uint)(image.Key.Length + 2)); // the field's type and the key's
            at += length + image.Key.Length;
            count++;
        }

        return count;
    }

    private static int WriteAll(Span<byte> target, ref int at, in RecordImageReader image)
    {
        var count = 0;
        foreach (var bin in image.Bins)
        {
            at += BinReply.Write(target[at..], bin.Name, (ParticleType)bin.ParticleType, bin.Value);
            count++;
        }

        return count;
    }

    private int WriteNamed(Span<byte> target, ref int at, in RecordImageReader image)
    {
        var count = 0;
        foreach (var name in plan.Bins)
        {
            foreach (var bin in image.Bins)
            {
                if (bin.Name.SequenceEqual(name))
                {
                    at += BinReply.Write(target[at..], name, (ParticleType)bin.ParticleType, bin.Value);
                    count++;
                    break;
                }
            }
        }

        return count;
    }

    private int WriteNamedByHash(Span<byte> target, ref int at, in RecordImageReader image)
    {
        var draft = worker.Draft;
        var sources = new DraftSources(image.Image, default);
        draft.Clear();
        draft.Load(image);
        var count = 0;
        foreach (var name in plan.Bins)
        {
            var slot = draft.Find(sources, name);
            if (slot >= 0)
            {
                at += BinReply.Write(target[at..], name, draft.TypeOf(slot), draft.ValueOf(sources, slot));
                count++;
            }
        }

        return count;
    }
}
