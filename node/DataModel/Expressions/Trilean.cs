namespace Aerie.DataModel.Expressions;

/// The outcome of a condition. Unknown: something it needs is not there, is of another type, or has not been read yet.
public enum Trilean : byte
{
    False,
    True,
    Unknown,
}

public static class Trileans
{
    public static Trilean Of(bool value) => value ? Trilean.True : Trilean.False;

    public static Trilean Not(Trilean value) => value switch
    {
        Trilean.True => Trilean.False,
        Trilean.False => Trilean.True,
        _ => Trilean.Unknown,
    };
}
