using Aerie.DataModel.Bins;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// From a draft to an image: how long it will be, and the bytes.
internal static class DraftImage
{
    public static int Measure(in RecordImageHeader header, RecordDraft draft, in DraftSources sources)
    {
        var length = RecordImage.MeasureHeader(header, draft.BinCount);
        for (var slot = 0; slot < draft.SlotCount; slot++)
        {
            if (draft.IsLive(slot))
            {
                length += BinList.Measure(draft.NameOf(sources, slot).Length, draft.ValueOf(sources, slot).Length);
            }
        }

        return length;
    }

    public static int Write(Span<byte> target, in RecordImageHeader header, RecordDraft draft, in DraftSources sources)
    {
        var writer = new RecordImageWriter(target, header, draft.BinCount);
        for (var slot = 0; slot < draft.SlotCount; slot++)
        {
            if (draft.IsLive(slot))
            {
                writer.AddBin(draft.NameOf(sources, slot), (byte)draft.TypeOf(slot), draft.ValueOf(sources, slot));
            }
        }

        return writer.Finish();
    }
}
