using System.Text;
using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;

namespace Aerie.Client;

/// A record's address. The digest alone travels; the user key goes along only where a policy says so.
public sealed class Key
{
    public Key(string @namespace, string set, Value userKey)
    {
        if (userKey.Type is not (ParticleType.Integer or ParticleType.String or ParticleType.Bytes))
        {
            throw new ArgumentException($"a key is an integer, a string or bytes, not {userKey.Type}", nameof(userKey));
        }

        Namespace = @namespace;
        Set = set;
        UserKey = userKey;
        Digest = DigestOf(set, userKey);
    }

    public Key(string @namespace, string set, Digest digest, Value userKey = default)
    {
        Namespace = @namespace;
        Set = set;
        Digest = digest;
        UserKey = userKey;
    }

    public string Namespace { get; }

    /// Empty: the record is in no set.
    public string Set { get; }

    /// Null where only the digest is known.
    public Value UserKey { get; }

    public Digest Digest { get; }

    public int Partition => Digest.Partition;

    public override string ToString() => UserKey.IsNull ? $"{Namespace}:{Set}:#{Digest}" : $"{Namespace}:{Set}:{UserKey}";

    private static Digest DigestOf(string set, in Value userKey)
    {
        const int OnStackMax = 256;
        var setLength = Encoding.UTF8.GetByteCount(set);
        var length = setLength + userKey.Length;
        var bytes = length <= OnStackMax ? stackalloc byte[OnStackMax] : new byte[length];
        Encoding.UTF8.GetBytes(set, bytes);
        var keyBytes = bytes.Slice(setLength, userKey.Length);
        userKey.WriteTo(keyBytes);
        return Ripemd160.OfKey(bytes[..setLength], (byte)userKey.Type, keyBytes);
    }
}
