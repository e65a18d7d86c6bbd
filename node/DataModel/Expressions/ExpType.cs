namespace Aerie.DataModel.Expressions;

/// Types of expressions. Up to Hll the numbers are the wire's.
public enum ExpType : byte
{
    Nil = 0,
    Bool = 1,
    Integer = 2,
    String = 3,
    List = 4,
    Map = 5,
    Blob = 6,
    Float = 7,
    Geo = 8,
    Hll = 9,

    /// Known only when evaluated, or never: what `unknown` stands for. Fits wherever another type is wanted.
    Any = 10,

    /// What result_remove stands for: the element that a path modifies goes.
    Remove = 11,
}

public static class ExpTypes
{
    public static bool TryRead(long wire, out ExpType type)
    {
        type = (ExpType)wire;
        return wire is >= 0 and <= (long)ExpType.Hll;
    }

    /// May stand where `wanted` is asked for, as far as can be told before evaluation.
    public static bool Fits(ExpType type, ExpType wanted) => type == wanted || type == ExpType.Any || wanted == ExpType.Any;

    /// False for types that have no order: there, a comparison is a mistake of the request.
    public static bool IsComparable(ExpType type) => type is not (ExpType.Geo or ExpType.Hll or ExpType.Remove);

    public static bool IsNumber(ExpType type) => type is ExpType.Integer or ExpType.Float;

    /// Blobs of single languages are values that only their client reads: to expressions they are of no type.
    public static ExpType Of(ParticleType particle) => particle switch
    {
        ParticleType.Null => ExpType.Nil,
        ParticleType.Bool => ExpType.Bool,
        ParticleType.Integer => ExpType.Integer,
        ParticleType.String => ExpType.String,
        ParticleType.List => ExpType.List,
        ParticleType.Map => ExpType.Map,
        ParticleType.Bytes => ExpType.Blob,
        ParticleType.Double => ExpType.Float,
        ParticleType.GeoJson => ExpType.Geo,
        ParticleType.Hll => ExpType.Hll,
        _ => ExpType.Any,
    };

    public static ParticleType Particle(ExpType type) => type switch
    {
        ExpType.Bool => ParticleType.Bool,
        ExpType.Integer => ParticleType.Integer,
        ExpType.String => ParticleType.String,
        ExpType.List => ParticleType.List,
        ExpType.Map => ParticleType.Map,
        ExpType.Blob => ParticleType.Bytes,
        ExpType.Float => ParticleType.Double,
        ExpType.Geo => ParticleType.GeoJson,
        ExpType.Hll => ParticleType.Hll,
        _ => ParticleType.Null,
    };
}
