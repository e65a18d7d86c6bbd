using Aerie.Foundation;
using Aerie.Storage.Codecs;

namespace Aerie.Storage.Devices;

/// A device as configured, with its shadow.
public readonly record struct DevicePath(string Path, string? Shadow);

/// What the devices of one namespace are opened with.
public sealed record DeviceSetOptions
{
    public required string Namespace { get; init; }

    public required IReadOnlyList<DevicePath> Devices { get; init; }

    /// `filesize`: files are made, or grow, to this length. 0: raw devices.
    public long FileSize { get; init; }

    /// Past the page cache.
    public bool Direct { get; init; } = true;

    /// `disable-odsync`: false makes each write safe when it returns.
    public bool DisableDataSync { get; init; }

    /// `cold-start-empty`: what the devices hold is given up.
    public bool StartEmpty { get; init; }

    /// Start although devices are missing that once belonged to the storage. Their records are lost.
    public bool AcceptMissing { get; init; }

    /// What the devices are, or become, encrypted with.
    public KeyRing Keys { get; init; } = KeyRing.None;

    public required IClock Clock { get; init; }

    /// One line of progress or of what was found; for the log.
    public Action<string> Report { get; init; } = static _ => { };
}

/// Why the devices of a namespace are not taken: one line that names the path and what to do.
public sealed class StorageException(string message) : Exception(message);
