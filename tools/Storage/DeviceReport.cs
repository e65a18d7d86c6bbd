namespace Aerie.Tools.Storage;

/// What `aerie storage` found out about one file or device. Names become the fields of its JSON.
public sealed record DeviceReport
{
    public required string Path { get; init; }

    public required long Length { get; init; }

    /// One line when nothing could be read.
    public string? Error { get; init; }

    public LabelReport? Label { get; init; }

    public MetadataReport? Metadata { get; init; }

    public BlockMap? Blocks { get; init; }

    /// Only of `verify`.
    public VerifyReport? Verified { get; init; }

    /// All of them, also those that are not listed.
    public long Damages { get; init; }

    public IReadOnlyList<DamageReport> Damage { get; init; } = [];

    public int ExitCode => Error is not null ? StorageCommand.CannotBeRead : Damages > 0 ? StorageCommand.Damaged : StorageCommand.Sound;
}

/// Ids in hexadecimal: JSON numbers end at 2^53.
public sealed record LabelReport(
    string Namespace,
    string StorageId,
    string DeviceId,
    int DeviceNumber,
    int DeviceCount,
    long BlockCount,
    DateTimeOffset Created,
    string Encryption);

/// The newest of the device's slots. Cuts are last-update times, 0 for none.
public sealed record MetadataReport(
    IReadOnlyList<string> Slots,
    ulong Generation,
    bool CleanShutdown,
    ulong HighestBlockSequence,
    ulong LastUpdateTimeMark,
    ulong TruncateCut,
    ulong SweptCut,
    CheckpointReport? Checkpoint,
    IReadOnlyList<SetReport> Sets);

public sealed record CheckpointReport(ulong Sequence, int Blocks);

public sealed record SetReport(int Id, string Name, ulong TruncateCut, ulong SweptCut);

/// Data blocks by state, as their headers say.
public sealed record BlockMap
{
    public long Total { get; set; }

    public long Wiped { get; set; }

    public long Records { get; set; }

    public long Checkpoint { get; set; }

    public long Foreign { get; set; }

    public long Damaged { get; set; }

    public ulong? LowestSequence { get; set; }

    public ulong? HighestSequence { get; set; }

    /// Blocks of records and checkpoints against all.
    public double UsedPercent => Total == 0 ? 0 : Math.Round((Records + Checkpoint) * 100.0 / Total, 2);
}

/// Records count as often as versions of them lie on the device.
public sealed record VerifyReport
{
    public long Records { get; set; }

    public long RemovalMarks { get; set; }

    public long ImageBytes { get; set; }

    /// Blocks whose chain ends before the block does: a writer had them open.
    public long UnfinishedBlocks { get; set; }

    public long DamagedBytes { get; set; }
}

/// Offset and length in bytes of the device.
public sealed record DamageReport(string Path, long Offset, long Length, string What);
