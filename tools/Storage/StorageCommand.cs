using System.CommandLine;
using System.Text.Json;
using Aerie.Io;
using Aerie.Tools.Bench;

namespace Aerie.Tools.Storage;

/// `aerie storage inspect` and `aerie storage verify`: what lies on the files and devices of a node.
public static class StorageCommand
{
    public const int Sound = 0;
    public const int Damaged = 1;
    public const int CannotBeRead = 2;

    private const string ExitCodes = "Exit code 0: sound, 1: damaged, 2: cannot be read.";

    public static Command Create() => new("storage", "Look at files and devices of a node, without changing them")
    {
        Create("inspect", "Show label, metadata and block map. " + ExitCodes, verify: false),
        Create("verify", "Read everything and check every record. " + ExitCodes, verify: true),
    };

    private static Command Create(string name, string description, bool verify)
    {
        var files = new Argument<string[]>("FILE")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "file or block device; a node may be using it",
        };
        var json = new Option<bool>("--json") { Description = "print a JSON array with one object per device" };
        var command = new Command(name, description) { files, json };
        command.SetAction(parsed => Run(
            parsed.GetValue(files)!, verify, parsed.GetValue(json), new DeviceFiles(), Console.Out,
            new ProgressLine(Console.Error, !Console.IsErrorRedirected)));
        return command;
    }

    internal static int Run(string[] paths, bool verify, bool json, IBlockDevices devices, TextWriter output, ProgressLine progress)
    {
        var reports = new List<DeviceReport>();
        foreach (var path in paths)
        {
            reports.Add(Inspect(path, verify, devices, progress));
            progress.End();
            if (!json)
            {
                DeviceReportText.Write(reports[^1], output);
            }
        }

        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(reports, BenchResult.Json));
        }

        return reports.Max(report => report.ExitCode);
    }

    private static DeviceReport Inspect(string path, bool verify, IBlockDevices devices, ProgressLine progress)
    {
        try
        {
            using var device = devices.Open(new DeviceOrder(path, CreateLength: 0, Direct: false, DataSync: false, ReadOnly: true));
            return new DeviceInspection(device, verify, progress.Report).Run();
        }
        catch (DeviceException refused)
        {
            return new DeviceReport { Path = path, Length = 0, Error = refused.Message };
        }
    }
}
