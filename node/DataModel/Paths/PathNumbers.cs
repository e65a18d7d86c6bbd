namespace Aerie.DataModel.Paths;

/// What a path answers, or does, with the elements that it leads to. The numbers are the wire's.
internal static class PathMode
{
    /// The value from its root down, with nothing in it but the way to what was found.
    public const long Tree = 0;

    /// A list of the values found.
    public const long Values = 1;

    /// A list of the keys of those that lie in maps.
    public const long Keys = 2;

    /// Key and value of each, one behind the other.
    public const long KeysAndValues = 3;

    /// The whole value with other elements in their places.
    public const long Modify = 4;

    public const long Last = Modify;

    /// What has another type than the path expects is passed over, and unknown is false.
    public const long NoFail = 0x10;
}

/// Kinds of steps that plain contexts do not have.
internal static class PathStep
{
    /// All children, on condition.
    public const long Children = 0x04;

    /// The pairs of a map whose keys are in a list.
    public const long KeysIn = 0x2A;

    /// One more condition on what the step before it finds.
    public const long AndFilter = 0x200 | Children;
}

/// What a loop variable shows of the element that a condition or modification looks at.
internal static class LoopPart
{
    /// Of elements of lists, their index.
    public const long Key = 0;
    public const long Value = 1;

    /// The place among the children, as they lie.
    public const long Index = 2;
}
