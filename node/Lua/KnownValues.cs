namespace Aerie.Lua;

/// Places in a state's registry of what callbacks push.
internal sealed record KnownValues
{
    public required int ListClass { get; init; }

    public required int MapClass { get; init; }

    public required int BytesClass { get; init; }

    public required int GeoJsonClass { get; init; }

    public required int IteratorClass { get; init; }

    /// The function that a generic for calls.
    public required int IteratorNext { get; init; }

    /// The one object that stands for the record of the call.
    public required int Record { get; init; }

    /// The function that loads a module.
    public required int Require { get; init; }
}
