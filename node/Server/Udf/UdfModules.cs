using System.Security.Cryptography;
using Aerie.Lua;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Udf;

/// What came of an order to the modules.
public enum UdfOutcome : byte
{
    Done,
    BadName,
    TooLong,
    NotFound,
    DoesNotCompile,
    CannotStore,
}

/// A module as tools list it.
public sealed record UdfModule(string FileName, byte[] Text)
{
    /// SHA-1 names a text, it protects nothing: tools compare it with that of their own file.
    public string Hash { get; } = Convert.ToHexStringLower(CryptographicOperations.HashData(HashAlgorithmName.SHA1, Text));
}

/// The modules that users have registered: in the folder that the configuration names, one file each, and in the engine, which runs
/// them. A module is written whole under another name first: a crash leaves the old text or the new one.
public sealed class UdfModules
{
    public const int TextLengthMax = 1024 * 1024;

    private const int NameLengthMax = 127;
    private const string Ending = ".lua";

    private readonly string _folder;
    private readonly IUdfEngine? _engine;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, UdfModule> _modules = new(StringComparer.Ordinal);

    /// Reads what is there. `engine`: null when functions are switched off; modules are kept all the same. A file that cannot be read
    /// or does not compile is reported and stays where it is.
    public UdfModules(string folder, IUdfEngine? engine, ILogger log)
    {
        _folder = folder;
        _engine = engine;
        _log = log;
        try
        {
            foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder, "*" + Ending) : [])
            {
                Load(path);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            log.LogError("modules in {Folder} cannot be read: {Reason}", folder, failure.Message);
        }
    }

    /// In the order of their names.
    public IReadOnlyList<UdfModule> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _modules.Values];
            }
        }
    }

    public UdfModule? Find(string fileName)
    {
        lock (_gate)
        {
            return _modules.GetValueOrDefault(fileName);
        }
    }

    /// Registers a module or replaces its text: from the next call on. `error` says what does not compile.
    public UdfOutcome Put(string fileName, byte[] text, out UdfSyntaxError? error)
    {
        error = null;
        if (!IsName(fileName))
        {
            return UdfOutcome.BadName;
        }

        if (text.Length is 0 or > TextLengthMax)
        {
            return UdfOutcome.TooLong;
        }

        error = _engine?.Check(ModuleOf(fileName), text);
        if (error is not null)
        {
            return UdfOutcome.DoesNotCompile;
        }

        lock (_gate)
        {
            if (!TryStore(fileName, text))
            {
                return UdfOutcome.CannotStore;
            }

            _modules[fileName] = new UdfModule(fileName, text);
            _engine?.Register(ModuleOf(fileName), text);
        }

        _log.LogInformation("module {Name} registered, {Bytes} bytes", fileName, text.Length);
        return UdfOutcome.Done;
    }

    public UdfOutcome Remove(string fileName)
    {
        lock (_gate)
        {
            if (!_modules.ContainsKey(fileName))
            {
                return UdfOutcome.NotFound;
            }

            try
            {
                File.Delete(Path.Combine(_folder, fileName));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                _log.LogError("module {Name} cannot be removed from {Folder}: {Reason}", fileName, _folder, failure.Message);
                return UdfOutcome.CannotStore;
            }

            _modules.Remove(fileName);
            _engine?.Remove(ModuleOf(fileName));
        }

        _log.LogInformation("module {Name} removed", fileName);
        return UdfOutcome.Done;
    }

    public void ClearCache() => _engine?.ClearCache();

    /// What calls name: the file's name without its ending.
    public static string ModuleOf(string fileName) => fileName[..^Ending.Length];

    /// Letters, digits and `._$-`, nothing that could name another folder.
    public static bool IsName(string fileName) =>
        fileName.Length is > 4 and <= NameLengthMax && fileName.EndsWith(Ending, StringComparison.Ordinal) && fileName[0] != '.'
        && !fileName.Contains("..", StringComparison.Ordinal)
        && fileName.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '$' or '-');

    private void Load(string path)
    {
        var name = Path.GetFileName(path);
        var text = File.ReadAllBytes(path);
        if (!IsName(name) || text.Length is 0 or > TextLengthMax)
        {
            _log.LogWarning("{Path} is left out: not a name or length that a module may have", path);
            return;
        }

        if (_engine?.Check(ModuleOf(name), text) is { } error)
        {
            _log.LogWarning("{Path} does not compile, line {Line}: {Message}", path, error.Line, error.Message);
        }

        _modules[name] = new UdfModule(name, text);
        _engine?.Register(ModuleOf(name), text);
    }

    private bool TryStore(string fileName, byte[] text)
    {
        try
        {
            Directory.CreateDirectory(_folder);
            var path = Path.Combine(_folder, fileName);
            var draft = path + ".new";
            using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
            {
                file.Write(text);
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, path, overwrite: true);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _log.LogError("module {Name} cannot be stored in {Folder} (mod-lua user-path): {Reason}", fileName, _folder, failure.Message);
            return false;
        }
    }
}
