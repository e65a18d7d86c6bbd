using System.Text;

namespace Aerie.Tools.Storage;

/// A report as people read it.
internal static class DeviceReportText
{
    public static void Write(DeviceReport report, TextWriter output)
    {
        if (report.Error is not null)
        {
            output.WriteLine(report.Error);
            return;
        }

        output.WriteLine($"{report.Path}: {Size(report.Length)}");
        if (report.Label is { } label)
        {
            Line(output, "namespace", $"{Plain(label.Namespace)}, device {label.DeviceNumber + 1} of {label.DeviceCount}");
            Line(output, "storage id", label.StorageId);
            Line(output, "device id", label.DeviceId);
            Line(output, "created", $"{label.Created:yyyy-MM-dd HH:mm:ss} UTC");
            Line(output, "encryption", label.Encryption);
        }

        WriteMetadata(report.Metadata, output);
        WriteBlocks(report.Blocks!, output);
        WriteVerified(report.Verified, output);
        WriteDamage(report, output);
    }

    private static void WriteMetadata(MetadataReport? metadata, TextWriter output)
    {
        if (metadata is null)
        {
            Line(output, "metadata", "none");
            return;
        }

        Line(output, "metadata", $"generation {metadata.Generation}, slots: {string.Join(", ", metadata.Slots)}");
        Line(output, "shutdown", metadata.CleanShutdown ? "clean" : "not clean, or in use");
        Line(output, "checkpoint", metadata.Checkpoint is { } place ? $"sequence {place.Sequence}, {place.Blocks} blocks" : "none");
        Line(output, "highest", $"block sequence {metadata.HighestBlockSequence}, last-update time {metadata.LastUpdateTimeMark}");
        Line(output, "truncated", Cuts(metadata.TruncateCut, metadata.SweptCut));
        Line(output, "sets", $"{metadata.Sets.Count}");
        foreach (var set in metadata.Sets)
        {
            Line(output, "", $"{set.Id} {Plain(set.Name)}, truncated {Cuts(set.TruncateCut, set.SweptCut)}");
        }
    }

    private static void WriteBlocks(BlockMap map, TextWriter output)
    {
        Line(output, "blocks", $"{map.Total}: {map.Records} records, {map.Checkpoint} checkpoint, {map.Wiped} wiped, "
            + $"{map.Foreign} foreign, {map.Damaged} damaged; {map.UsedPercent:0.##} % used");
        if (map.LowestSequence is not null)
        {
            Line(output, "sequences", $"{map.LowestSequence} to {map.HighestSequence}");
        }
    }

    private static void WriteVerified(VerifyReport? verified, TextWriter output)
    {
        if (verified is not null)
        {
            Line(output, "verified", $"{verified.Records} records, {verified.RemovalMarks} removal marks, {Size(verified.ImageBytes)}; "
                + $"{verified.UnfinishedBlocks} unfinished blocks");
        }
    }

    private static void WriteDamage(DeviceReport report, TextWriter output)
    {
        Line(output, "damage", report.Damages == 0 ? "none" : $"{report.Damages} ranges");
        foreach (var damage in report.Damage)
        {
            output.WriteLine($"{damage.Path}: damaged: {damage.Length} bytes at {damage.Offset}: {damage.What}");
        }

        if (report.Damages > report.Damage.Count)
        {
            output.WriteLine($"{report.Path}: … and {report.Damages - report.Damage.Count} more");
        }
    }

    private static void Line(TextWriter output, string name, string text) => output.WriteLine($"  {name,-12}{text}");

    private static string Cuts(ulong cut, ulong swept) => cut == 0 ? "never" : $"before {cut}, swept up to {swept}";

    /// Names may be any bytes; a terminal must not obey them.
    private static string Plain(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            text.Append(char.IsControl(c) ? '?' : c);
        }

        return text.ToString();
    }

    private static string Size(long bytes) => bytes >= 1L << 30 ? $"{bytes / (double)(1L << 30):0.##} GiB"
        : bytes >= 1 << 20 ? $"{bytes / (double)(1 << 20):0.##} MiB" : $"{bytes} bytes";
}
