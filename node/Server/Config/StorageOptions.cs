using System.Collections.Immutable;
using Aerie.Memory.Compression;
using Aerie.Storage.Codecs;

namespace Aerie.Server.Config;

public enum RecordCompression
{
    None,
    Lz4,
    Snappy,
    Zstd,
}

public enum RecordEncryption
{
    None,
    Aes128,
    Aes256,
}

/// A file or raw device, with its shadow where it has one.
public readonly record struct StoragePath(string Path, string? Shadow)
{
    /// As it stands behind `device`: the path, and after a space that of the shadow.
    public static StoragePath Parse(string text)
    {
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        return space < 0 ? new StoragePath(text, null) : new StoragePath(text[..space], text[(space + 1)..].Trim());
    }
}

/// `storage-engine memory`, with or without files or devices that it writes through to, and `storage-engine device`.
public sealed record StorageOptions
{
    public const long BlockLength = Storage.IBlockBacking.BlockLength;

    /// The label area and three blocks of data.
    public const long DeviceLengthMin = 4 * BlockLength;

    /// Each event loop and the defragmenter have a block that they fill; less than this would stop them all the time.
    public const long WriteCacheMin = 64L << 20;

    /// All data is in memory.
    public required bool IsMemory { get; init; }

    /// Of a namespace in memory alone.
    public required long DataSize { get; init; }

    /// Empty: in memory alone.
    public required ImmutableArray<StoragePath> Paths { get; init; }

    /// The paths are files, which are made or grow to FileSize.
    public required bool AreFiles { get; init; }

    /// Whole blocks; 0 with raw devices.
    public required long FileSize { get; init; }

    /// Records outlive the process.
    public bool IsPersistent => !Paths.IsEmpty;

    /// What was there is given up at the start.
    public required bool ColdStartEmpty { get; init; }

    /// Who changes a record is answered when the change is safe.
    public required bool CommitToDevice { get; init; }

    /// Accepted: files are written past the page cache in any case where their file system allows.
    public required bool DirectFiles { get; init; }

    public required bool DisableOdsync { get; init; }

    /// 0: by size alone.
    public required int FlushMaxMs { get; init; }

    public required long FlushSize { get; init; }

    public required long MaxWriteCache { get; init; }

    public required long PostWriteCache { get; init; }

    public required bool ReadPageCache { get; init; }

    /// Accepted: one node has no replicas.
    public required bool CacheReplicaWrites { get; init; }

    public required RecordCompression Compression { get; init; }

    /// 0: that of the method.
    public required int CompressionLevel { get; init; }

    /// 0: that of the method.
    public required int CompressionAcceleration { get; init; }

    /// The same in the words of the storage.
    public CompressionSettings CompressionSettings => new((CompressionAlgorithm)Compression, CompressionLevel, CompressionAcceleration);

    public required RecordEncryption Encryption { get; init; }

    /// Empty without encryption.
    public required string EncryptionKeyFile { get; init; }

    /// Empty unless the key is being changed.
    public required string EncryptionOldKeyFile { get; init; }

    /// Blocks whose live part falls below this percentage are emptied.
    public required int DefragLwmPct { get; init; }

    public required long DefragQueueMin { get; init; }

    /// Pause between two blocks, in microseconds.
    public required long DefragSleepUs { get; init; }

    /// The share of free blocks below which blocks are emptied before the node serves.
    public required int DefragStartupMinimumPct { get; init; }

    /// 0: no eviction by fill level.
    public required int EvictUsedPct { get; init; }

    public required int StopWritesUsedPct { get; init; }

    public required int StopWritesAvailPct { get; init; }

    public required bool EnableBenchmarksStorage { get; init; }

    public static StorageOptions From(Settings engine)
    {
        bool isMemory = engine.Name == "memory";
        bool isEncrypted = engine.IsGiven("encryption-key-file");
        return new StorageOptions
        {
            IsMemory = isMemory,
            DataSize = isMemory ? engine.Integer("data-size") : 0,
            Paths = [.. PathsOf(engine)],
            AreFiles = engine.IsGiven("files"),
            FileSize = engine.IsGiven("files") ? engine.Integer("filesize") / BlockLength * BlockLength : 0,
            ColdStartEmpty = !isMemory && engine.Flag("cold-start-empty"),
            CommitToDevice = engine.Flag("commit-to-device"),
            DirectFiles = engine.Flag("direct-files"),
            DisableOdsync = engine.Flag("disable-odsync"),
            FlushMaxMs = engine.Int("flush-max-ms"),
            FlushSize = engine.Integer("flush-size"),
            MaxWriteCache = Math.Max(engine.Integer("max-write-cache"), WriteCacheMin),
            PostWriteCache = isMemory ? 0 : engine.Integer("post-write-cache"),
            ReadPageCache = !isMemory && engine.Flag("read-page-cache"),
            CacheReplicaWrites = !isMemory && engine.Flag("cache-replica-writes"),
            Compression = Enum.Parse<RecordCompression>(engine.Text("compression"), ignoreCase: true),
            CompressionLevel = engine.Int("compression-level"),
            CompressionAcceleration = engine.Int("compression-acceleration"),
            Encryption = !isEncrypted ? RecordEncryption.None
                : engine.Text("encryption") == "aes-256" ? RecordEncryption.Aes256
                : RecordEncryption.Aes128,
            EncryptionKeyFile = engine.Text("encryption-key-file"),
            EncryptionOldKeyFile = engine.Text("encryption-old-key-file"),
            DefragLwmPct = engine.Int("defrag-lwm-pct"),
            DefragQueueMin = engine.Integer("defrag-queue-min"),
            DefragSleepUs = engine.Integer("defrag-sleep"),
            DefragStartupMinimumPct = engine.Int("defrag-startup-minimum"),
            EvictUsedPct = engine.Int("evict-used-pct"),
            StopWritesUsedPct = engine.Int("stop-writes-used-pct"),
            StopWritesAvailPct = engine.Int("stop-writes-avail-pct"),
            EnableBenchmarksStorage = engine.Flag("enable-benchmarks-storage"),
        };
    }

    /// What the engine was given, in its order. Files and devices are not mixed: a check sees to that.
    public static IEnumerable<StoragePath> PathsOf(Settings engine) =>
        new[] { "files", "devices" }.Where(engine.IsGiven).SelectMany(engine.List).Select(StoragePath.Parse);
}
