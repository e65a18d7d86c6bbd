using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

internal static class CdtIndex
{
    public static void Seek(in PackedContainer container, in PackedProbe probe, ref CdtSpot spot)
    {
    }

    public static void Seek(in PackedContainer container, int position, ref CdtSpot spot)
    {
    }
}
