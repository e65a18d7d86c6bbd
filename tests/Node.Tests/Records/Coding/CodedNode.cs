using Aerie.Node.Tests.Records.Flushing;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Records.Coding;

/// Nodes whose namespace compresses, encrypts or does both, on a simulated disk.
internal static class CodedNode
{
    public const string Compressed = "compression zstd";

    public static string KeyFile { get; } = NewKeyFile("first");

    public static string OtherKeyFile { get; } = NewKeyFile("other");

    public static string Encrypted { get; } = $"encryption aes-128\nencryption-key-file {KeyFile}";

    public static string Both { get; } = $"compression lz4\nencryption aes-256\nencryption-key-file {KeyFile}";

    /// Every way to store images that are not plain.
    public static IReadOnlyList<string> All { get; } = [Compressed, "compression snappy", Encrypted, Both];

    public static NodeUnderTest Under(string lines) => new DeviceNode(new SimulatedDisk(), lines, "device").Under;

    private static string NewKeyFile(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, $"{name}-{Guid.NewGuid():n}.key");
        File.WriteAllText(path, string.Concat(Enumerable.Repeat(name, 10)));
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(path);
        return path;
    }
}
