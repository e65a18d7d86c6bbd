using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// The key as the user knows it: particle type and bytes. Type 0 is no key.
internal readonly ref struct UserKey(byte type, ReadOnlySpan<byte> bytes)
{
    public readonly byte Type = type;
    public readonly ReadOnlySpan<byte> Bytes = bytes;

    /// The one the client sent, else the one stored.
    public static UserKey Of(ReadOnlySpan<byte> sent, in RecordImageReader stored) =>
        sent.IsEmpty ? new UserKey(stored.KeyType, stored.Key) : new UserKey(sent[0], sent[1..]);
}

internal static class RecordKey
{
    /// A key that the client sends must be the one stored with the record, where one is stored: two keys with the same
    /// digest must not be taken for each other.
    public static bool Matches(ReadOnlySpan<byte> sent, in RecordImageReader stored) =>
        sent.IsEmpty || !stored.HasKey || (sent[0] == stored.KeyType && sent[1..].SequenceEqual(stored.Key));
}

internal static class DraftLoading
{
    /// Takes over all bins of an image by reference.
    public static void Load(this RecordDraft draft, in RecordImageReader image)
    {
        foreach (var bin in image.Bins)
        {
            var place = bin.Place;
            draft.AddStored(place.NameOffset, place.NameLength, (ParticleType)place.ParticleType, place.ValueOffset, place.ValueLength);
        }
    }
}
