namespace Aerie.Index;

/// How far a look ahead has come on its way to one record, see PrimaryIndex.Foresee. It names what was true a moment ago,
/// or never was: good for loading, never for deciding.
public struct LookupHint
{
    internal Branch At;
    internal int Depth;
}
