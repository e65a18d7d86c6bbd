namespace Aerie.DataModel.Packed;

/// What a packed value is. The numbers are the order between values of different kinds: nil is the least, infinity the greatest.
/// An integer and a double are never compared as numbers.
public enum PackedKind : byte
{
    Nil,
    False,
    True,
    Integer,
    Text,
    List,
    Map,
    Bytes,
    Double,
    GeoJson,
    Extension,
    Wildcard,
    Infinity,
}
