using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Aerie.Foundation;
using Aerie.Memory.Compression;
using Aerie.Storage;
using Aerie.Storage.Codecs;

namespace Aerie.Benchmarks;

/// What compression and encryption cost per image, on one thread. The value is text of words, so it shrinks to about the
/// half, as JSON of small records does. The baseline is the copy that every namespace pays.
public static class CodecBenchmark
{
    private const byte StringParticle = 3;

    public static void Run(TextWriter output)
    {
        var libraries = CompressionLibraries.Load();
        output.WriteLine($"{"image, algorithm, cipher",-36}{"stored",10}{"encode ns",12}{"decode ns",12}");
        foreach (var valueLength in (int[])[100, 1_000, 100_000])
        {
            var plain = Image(valueLength);
            foreach (var cipher in Enum.GetValues<StorageCipher>())
            {
                foreach (var algorithm in Enum.GetValues<CompressionAlgorithm>())
                {
                    var coding = new ImageCoding(libraries, KeyOf(cipher)) { Compression = new(algorithm) };
                    Measure(output, plain, coding, $"{algorithm}, {cipher}");
                }
            }
        }
    }

    private static void Measure(TextWriter output, byte[] plain, ImageCoding coding, string name)
    {
        using var codec = new ImageCodec(coding);
        var stored = new byte[coding.EncodedLengthMax(plain.Length)];
        var decoded = new byte[plain.Length];
        var length = codec.Encode(plain, stored);
        var encode = Best(plain.Length, () => codec.Encode(plain, stored));
        var decode = Best(plain.Length, () => Invariant.Holds(codec.TryDecode(stored.AsSpan(0, length), decoded, out _)));
        output.WriteLine($"{plain.Length + " B, " + name,-36}{length,10}{encode,12:F0}{decode,12:F0}");
    }

    /// The best of some rounds: the machine has other work too.
    private static double Best(int imageLength, Action once)
    {
        var times = Math.Max(100, 5_000_000 / imageLength);
        var best = double.MaxValue;
        for (var round = 0; round < 15; round++)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < times; i++)
            {
                once();
            }

            best = Math.Min(best, watch.Elapsed.TotalNanoseconds / times);
        }

        return best;
    }

    private static DataKey? KeyOf(StorageCipher cipher) =>
        cipher == StorageCipher.None ? null : DataKey.With(cipher, RandomNumberGenerator.GetBytes(DataKey.Length));

    private static byte[] Image(int valueLength)
    {
        var random = new Random(1);
        var text = new StringBuilder();
        while (text.Length < valueLength)
        {
            text.Append($"\"field{random.Next(20)}\":{random.Next(100_000)},");
        }

        var header = new RecordImageHeader { LastUpdateTime = 1, Generation = 1, SetId = 7 };
        var image = new byte[valueLength + 64];
        var writer = new RecordImageWriter(image, header, 1);
        writer.AddBin("bin"u8, StringParticle, Encoding.ASCII.GetBytes(text.ToString(0, valueLength)));
        return image[..(writer.Finish() * StorageUnit.Length)];
    }
}
