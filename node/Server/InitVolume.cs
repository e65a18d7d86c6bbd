using System.CommandLine;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Storage;
using Aerie.Storage.Devices;

namespace Aerie.Server;

/// How much of a volume is overwritten.
internal enum InitMethod
{
    /// The label and the header of every block: enough for a node to see an empty device.
    Header,

    /// Tells the device that nothing on it is needed, then as Header, because a device may ignore that.
    Discard,

    /// Everything.
    Zero,
}

/// `aerie-node init-volume`: makes files and raw devices empty for a node. All are checked before the first one is changed;
/// the label goes first, so that a volume whose initialisation was broken off is empty, not damaged.
internal sealed class InitVolume(IBlockDevices devices, IClock clock, TextWriter output)
{
    private const int LabelLength = (1 + DeviceLayout.MetadataSlots) * DeviceLayout.MetadataLengthMax;

    /// Zeroing stops here for the device to catch up, or all memory would be full of zeros to be written.
    private const int BlocksPerSync = 32;

    private const long ReportEveryNanoseconds = 1_000_000_000;

    private readonly byte[] _zeros = new byte[DeviceLayout.BlockLength];
    private long _reported = clock.MonotonicNanoseconds;

    public static Command CreateCommand()
    {
        var paths = new Argument<string[]>("PATH") { Arity = ArgumentArity.OneOrMore, Description = "File or block device." };
        var method = new Option<InitMethod>("--method")
        {
            Description = "header: label and block headers; discard: also tell the device that nothing is needed; zero: overwrite all.",
            DefaultValueFactory = _ => InitMethod.Header,
        };
        var force = new Option<bool>("--force") { Description = "Give up the data that a device carries." };
        var command = new Command("init-volume", "Make files and devices empty for a node.") { paths, method, force };
        command.SetAction(parsed => new InitVolume(new DeviceFiles(), new SystemClock(), Console.Error)
            .Run(parsed.GetValue(paths)!, parsed.GetValue(method), parsed.GetValue(force)));
        return command;
    }

    public int Run(IReadOnlyList<string> paths, InitMethod method, bool force)
    {
        var opened = new List<IBlockDevice>();
        try
        {
            foreach (var path in paths)
            {
                opened.Add(devices.Open(new DeviceOrder(path, CreateLength: 0, Direct: false, DataSync: false, ReadOnly: false)));
            }

            if (opened.Select(device => Refusal(device, force)).FirstOrDefault(line => line is not null) is { } refusal)
            {
                output.WriteLine(refusal);
                return ExitCodes.CannotStart;
            }

            opened.ForEach(device => Clear(device, method));
            return ExitCodes.Ok;
        }
        catch (DeviceException failed)
        {
            output.WriteLine(failed.Message);
            return ExitCodes.CannotStart;
        }
        finally
        {
            opened.ForEach(device => device.Dispose());
        }
    }

    /// One line when the device must be left alone.
    private static string? Refusal(IBlockDevice device, bool force)
    {
        if (DeviceLayout.BlockCount(device.Length) < DeviceLayout.BlocksMin)
        {
            return $"{device.Path}: {device.Length} bytes are too few: at least {DeviceLayout.BlockOffset(DeviceLayout.BlocksMin)}";
        }

        var label = new byte[DeviceLayout.DeviceHeadersLength];
        device.Read(0, label);
        var refusal = DeviceHeader.Read(label, out var header);
        return refusal switch
        {
            _ when force => null,
            DeviceRefusal.Empty => null,
            DeviceRefusal.None => $"{device.Path}: carries records of namespace {header!.Namespace} (device {header.DeviceNumber + 1} of "
                + $"{header.DeviceCount}): --force gives them up",
            DeviceRefusal.NotOurs => $"{device.Path}: carries data that is not Aerie's: --force gives it up",
            _ => $"{device.Path}: carries a label of Aerie that cannot be used: --force gives its data up",
        };
    }

    private void Clear(IBlockDevice device, InitMethod method)
    {
        var count = DeviceLayout.BlockCount(device.Length);
        device.Write(0, _zeros.AsSpan(0, LabelLength));
        device.Sync();
        for (var block = 1L; block < count; block++)
        {
            var offset = DeviceLayout.BlockOffset(block);
            if (method == InitMethod.Discard)
            {
                device.Discard(offset, DeviceLayout.BlockLength);
            }

            device.Write(offset, _zeros.AsSpan(0, method == InitMethod.Zero ? DeviceLayout.BlockLength : DeviceLayout.PageLength));
            if (method == InitMethod.Zero && block % BlocksPerSync == 0)
            {
                device.Sync();
            }

            Report(device.Path, block, count - 1);
        }

        device.Sync();
        output.WriteLine($"{device.Path}: empty, {count - 1} blocks of {DeviceLayout.BlockLength >> 20} MiB");
    }

    private void Report(string path, long done, long total)
    {
        var now = clock.MonotonicNanoseconds;
        if (now - _reported >= ReportEveryNanoseconds)
        {
            _reported = now;
            output.WriteLine($"{path}: block {done} of {total}, {done * 100 / total} %");
        }
    }
}
