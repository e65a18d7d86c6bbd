using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// Writes the heads of lists and maps, with their mark when they have an order.
internal static class CdtHead
{
    public static void Write(GrowingBytes target, bool isMap, int count, byte flags)
    {
        var writer = new PackedWriter(target);
        var marked = flags != 0 ? count + 1 : count;
        if (isMap)
        {
            writer.Map(marked);
        }
        else
        {
            writer.List(marked);
        }

        if (flags != 0)
        {
            if (isMap)
            {
                writer.MapMark(flags);
            }
            else
            {
                writer.ListMark(flags);
            }
        }
    }
}
