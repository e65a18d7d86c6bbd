using Aerie.DataModel;
using Aerie.DataModel.Packed;

namespace Aerie.Node.Tests.DataModel.Operations;

/// An operation as a client packs it: `[code, argument…]`.
internal static class PackedCall
{
    public static byte[] Of(params object[] call)
    {
        var bytes = new GrowingBytes(64 * 1024 * 1024);
        Write(new PackedWriter(bytes), call);
        return bytes.Read(0, bytes.Length).ToArray();
    }

    private static void Write(PackedWriter writer, object value)
    {
        switch (value)
        {
            case bool flag:
                writer.Bool(flag);
                break;
            case string text:
                writer.Payload((byte)ParticleType.String, System.Text.Encoding.UTF8.GetBytes(text));
                break;
            case byte[] blob:
                writer.Payload((byte)ParticleType.Bytes, blob);
                break;
            case Tagged tagged:
                writer.Payload((byte)tagged.Type, tagged.Bytes);
                break;
            case double number:
                writer.Double(number);
                break;
            case object[] list:
                writer.List(list.Length);
                Array.ForEach(list, element => Write(writer, element));
                break;
            default:
                writer.Integer(Convert.ToInt64(value));
                break;
        }
    }
}

/// A payload of a particle type of its own.
internal sealed record Tagged(ParticleType Type, byte[] Bytes);
