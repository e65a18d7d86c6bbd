using System.Diagnostics;

namespace Aerie.Tools.Storage;

/// How far one device is.
public readonly record struct DeviceProgress(string Path, long Blocks, long BlocksTotal, long Records, long Bytes);

/// One line a second on standard error; on a terminal always the same line.
internal sealed class ProgressLine(TextWriter output, bool isTerminal)
{
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _next = TimeSpan.FromSeconds(1);
    private string? _path;
    private TimeSpan _began;
    private bool _isOpen;

    public void Report(DeviceProgress progress)
    {
        var now = _since.Elapsed;
        if (progress.Path != _path)
        {
            _path = progress.Path;
            _began = now;
        }

        if (now < _next)
        {
            return;
        }

        _next = now + TimeSpan.FromSeconds(1);
        var line = Describe(progress, now - _began);
        output.Write(isTerminal ? $"\r{line}\e[K" : line + "\n");
        _isOpen = isTerminal;
    }

    /// What comes next begins on a line of its own.
    public void End()
    {
        if (_isOpen)
        {
            output.WriteLine();
            _isOpen = false;
        }
    }

    internal static string Describe(DeviceProgress progress, TimeSpan elapsed)
    {
        var seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        var left = TimeSpan.FromSeconds((long)(seconds * (progress.BlocksTotal - progress.Blocks) / Math.Max(1, progress.Blocks)));
        return $"{progress.Path}: block {progress.Blocks:N0} of {progress.BlocksTotal:N0}, {progress.Records / seconds:N0} records/s, "
            + $"{progress.Bytes / seconds / 1e6:N0} MB/s, {left:c} left";
    }
}
