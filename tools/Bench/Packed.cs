using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Packed;

namespace Aerie.Tools.Bench;

/// Packed values of requests, written once before a run.
internal static class Packed
{
    private const int LengthMax = 1024 * 1024;

    public static byte[] Of(Action<PackedWriter> write)
    {
        var bytes = new GrowingBytes(LengthMax);
        write(new PackedWriter(bytes));
        return bytes.Read(0, bytes.Length).ToArray();
    }

    public static void Text(this PackedWriter writer, string text) =>
        writer.Payload((byte)ParticleType.String, Encoding.UTF8.GetBytes(text));

    public static void Blob(this PackedWriter writer, ReadOnlySpan<byte> bytes) => writer.Payload((byte)ParticleType.Bytes, bytes);

    public static void Name(this PackedWriter writer, string name) => writer.Raw(Encoding.UTF8.GetBytes(name));
}
