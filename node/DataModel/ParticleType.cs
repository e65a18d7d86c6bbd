namespace Aerie.DataModel;

/// Types of bin values. Numbers are the wire's and the storage format's.
public enum ParticleType : byte
{
    Null = 0,
    Integer = 1,
    Double = 2,
    String = 3,
    Bytes = 4,
    JavaBlob = 7,
    CSharpBlob = 8,
    PythonBlob = 9,
    RubyBlob = 10,
    PhpBlob = 11,
    ErlangBlob = 12,
    Bool = 17,
    Hll = 18,
    Map = 19,
    List = 20,
    GeoJson = 23,
}

public static class ParticleTypes
{
    /// Flags (1), cell count (2, big-endian), then that many cells of eight bytes, then the text.
    private const int GeoHeaderLength = 3;

    /// True when a value of this type may be stored with these bytes. Lists, maps and HLLs are kept as they come; the
    /// operations on them check what they read.
    public static bool IsStorable(byte type, ReadOnlySpan<byte> value) => (ParticleType)type switch
    {
        ParticleType.Integer => value.Length is 1 or 2 or 4 or 8,
        ParticleType.Double => value.Length == sizeof(double),
        ParticleType.Bool => value.Length == 1 && value[0] <= 1,
        ParticleType.String or ParticleType.Bytes or ParticleType.Hll => true,
        ParticleType.Map or ParticleType.List => value.Length > 0,
        ParticleType.GeoJson => value.Length >= GeoHeaderLength,
        >= ParticleType.JavaBlob and <= ParticleType.ErlangBlob => true,
        _ => false,
    };

    /// Types that append and prepend work on.
    public static bool IsText(ParticleType type) =>
        type is ParticleType.String or ParticleType.Bytes or (>= ParticleType.JavaBlob and <= ParticleType.ErlangBlob);
}
