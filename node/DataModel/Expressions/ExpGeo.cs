namespace Aerie.DataModel.Expressions;

/// Whether one place lies in the other. Both as GeoJSON text.
internal static class ExpGeo
{
    public static Trilean Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        // The place where Aerie.DataModel.Geo is to be asked.
        _ = a.Length + b.Length;
        return Trilean.Unknown;
    }
}
