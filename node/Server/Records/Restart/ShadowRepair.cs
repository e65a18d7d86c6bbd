using Aerie.Foundation;
using Aerie.Memory;
using Aerie.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Restart;

/// A crash may have kept a write from a device, or from its shadow, and the other one has it. Both are sound then, but not the
/// same, and would stay so: a shadow that has to stand in years later would bring back what was removed, or lack what was
/// found. So after a crash every shadow is made to say what its device says. What was safe lies on both; only blocks that
/// were written since the checkpoint can differ behind their headers.
internal sealed class ShadowRepair(Namespace records, DeviceBacking backing, ILogger log)
{
    private int _next = -1;
    private int _repaired;

    public static bool IsNeeded(Namespace records, DeviceBacking backing) =>
        records.Storage?.Found is { IsCleanShutdown: false } && backing.Devices.Devices.Any(static device => device.ShadowPath is not null);

    /// `written`: the blocks that may differ anywhere. Throws StorageException when a device cannot be read or written.
    public void Run(RestartThreads threads, IReadOnlyList<TailPiece> written)
    {
        var isWritten = new bool[backing.BlockCount];
        foreach (var piece in written)
        {
            isWritten[piece.Block] = true;
        }

        threads.Run(_ => Compare(threads, isWritten));
        if (_repaired > 0)
        {
            log.LogWarning(
                "{{{Namespace}}} {Blocks} blocks of shadows differed from their devices after the crash and were written again",
                records.Name, _repaired);
        }
    }

    private void Compare(RestartThreads threads, bool[] isWritten)
    {
        using var region = NativeRegion.Reserve(2 * DeviceLayout.BlockLength);
        while (!threads.HasFailed && Interlocked.Increment(ref _next) is var block && block < backing.BlockCount)
        {
            var device = backing.Devices.Devices[backing.DeviceOf(block)];
            if (device.ShadowPath is not null && Repair(device, block, isWritten[block], region))
            {
                Interlocked.Increment(ref _repaired);
            }
        }
    }

    // The header last: a block whose repair is cut short still shows that it differs.
    private bool Repair(StorageDevice device, int block, bool isWritten, NativeRegion region)
    {
        var (_, offset) = backing.PlaceOf(block);
        var header = region.Span(0, DeviceLayout.PageLength);
        device.Read(offset, header);
        var isSameLife = device.IsOnShadow(offset, header, region.Span(DeviceLayout.BlockLength, DeviceLayout.PageLength));
        var isSame = isSameLife;
        if (header.ContainsAnyExcept((byte)0) && (isWritten || !isSameLife))
        {
            const int RestLength = DeviceLayout.BlockLength - DeviceLayout.PageLength;
            var rest = region.Span(DeviceLayout.PageLength, RestLength);
            device.Read(offset + DeviceLayout.PageLength, rest);
            if (!device.IsOnShadow(offset + DeviceLayout.PageLength, rest, region.Span(DeviceLayout.BlockLength, RestLength)))
            {
                device.WriteShadow(offset + DeviceLayout.PageLength, rest);
                isSame = false;
            }
        }

        if (!isSameLife)
        {
            device.WriteShadow(offset, header);
        }

        return !isSame;
    }
}
