using System.Collections;
using System.CommandLine;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Server.Config;
using Aerie.Server.Logging;
using Aerie.Storage.Devices;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Aerie.Server;

/// What can be asked of the program: run a node, check a configuration, prepare a volume, tell the version.
internal static class CommandLine
{
    public static int Run(string[] arguments)
    {
        var file = new Option<string?>("--config-file")
        {
            Description = "Configuration to run with, aerospike.conf or YAML by its ending; an embedded default without it.",
        };
        var check = new Option<bool>("--check-config")
        {
            Description = "Report every problem of the configuration and leave: exit code 0 when there is none.",
        };
        var acceptMissing = new Option<bool>("--accept-missing-devices")
        {
            Description = "Start although devices that a namespace once had are not configured any more. The records on them are lost.",
        };
        var root = new RootCommand("aerie-node: one storage node, compatible with Aerospike clients and tools.")
        {
            file, check, acceptMissing, InitVolume.CreateCommand(),
        };
        root.SetAction(parsed => Run(parsed.GetValue(file), parsed.GetValue(check), parsed.GetValue(acceptMissing)));
        return root.Parse(arguments).Invoke();
    }

    private static int Run(string? file, bool checkOnly, bool acceptMissingDevices)
    {
        if (!TryReadConfiguration(file, out var text))
        {
            return ExitCodes.BadConfiguration;
        }

        var table = ParameterTable.Load();
        var kind = file is null ? ConfigKind.Conf : ConfigCheck.KindOf(file);
        var report = ConfigCheck.Run(text, kind, file ?? "default.conf", table, Environment(), Machine());
        foreach (var line in report.Lines(FindingKind.Warning))
        {
            Console.Error.WriteLine(line);
        }

        if (checkOnly || report.HasProblems)
        {
            Console.Error.WriteLine(report.HasProblems
                ? "the configuration has problems: nothing was started" : "the configuration is good");
            return report.ExitCode;
        }

        return Start(new ConfigStore(table, report), acceptMissingDevices);
    }

    private static int Start(ConfigStore config, bool acceptMissingDevices)
    {
        try
        {
            using var log = new NodeLog(config.Logging, new SystemClock());
            log.UseFormat(config.Service.Current.LogMillis, config.Service.Current.LogLocalTime);
            using var logs = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace)
                .AddProvider(new NodeLoggerProvider(log)));
            using var process = new NodeProcess(config, log, logs, acceptMissingDevices);
            return process.Run();
        }
        catch (Exception refused)
            when (refused is IoException or IOException or NativeMemoryException or DeviceException or StorageException)
        {
            Console.Error.WriteLine($"cannot start: {refused.Message}");
            return ExitCodes.CannotStart;
        }
    }

    private static bool TryReadConfiguration(string? file, out string text)
    {
        text = "";
        try
        {
            text = file is null ? ConfigCheck.DefaultText() : File.ReadAllText(file);
            return true;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"cannot read {file}: {unreadable.Message}");
            return false;
        }
    }

    private static MachineFacts Machine() =>
        new(System.Environment.ProcessorCount, new CgroupMemory(new SystemFiles().Read).Limit());

    private static Dictionary<string, string> Environment() => System.Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}
