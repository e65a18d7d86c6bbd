using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory.Compression;
using Aerie.Server.Config;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Restart;

/// Opens what the persistent namespaces of a node lie on.
internal sealed class StorageOpening(
    IBlockDevices door, ConfigStore config, IClock clock, ILogger log, int workers, bool acceptMissingDevices)
{
    private CompressionLibraries? _libraries;

    /// Throws StorageException or DeviceException with one line.
    public NamespaceStorage Open(NamespaceOptions options, LastUpdateClock updates)
    {
        try
        {
            return OpenDevices(options, updates);
        }
        catch (Exception refused) when (refused is EncryptionKeyException or MissingLibraryException)
        {
            throw new StorageException($"namespace {options.Name}: {refused.Message}");
        }
    }

    /// What the configuration names. Throws EncryptionKeyException.
    internal static KeyRing KeysOf(StorageOptions storage) => KeyRing.Load(
        (StorageCipher)storage.Encryption, Given(storage.EncryptionKeyFile), Given(storage.EncryptionOldKeyFile));

    /// How images are stored on these devices. Throws MissingLibraryException also for what only earlier runs have used.
    internal static ImageCoding CodingOf(StorageOptions storage, DeviceSet devices, CompressionLibraries libraries)
    {
        var coding = new ImageCoding(libraries, devices.DataKey);
        coding.NoteUse(devices.Metadata?.Compression ?? CompressionUse.None);
        coding.Compression = storage.CompressionSettings;
        return coding;
    }

    private NamespaceStorage OpenDevices(NamespaceOptions options, LastUpdateClock updates)
    {
        var storage = options.Storage;
        _libraries ??= CompressionLibraries.Load();
        _libraries.Require(storage.CompressionSettings.Algorithm); // before anything is formatted
        var devices = DeviceSet.Open(door, new DeviceSetOptions
        {
            Namespace = options.Name,
            Devices = [.. storage.Paths.Select(static path => new DevicePath(path.Path, path.Shadow))],
            FileSize = storage.FileSize,
            Direct = !storage.ReadPageCache,
            DisableDataSync = storage.DisableOdsync,
            StartEmpty = storage.ColdStartEmpty,
            AcceptMissing = acceptMissingDevices,
            Keys = KeysOf(storage),
            Clock = clock,
            Report = line => log.LogInformation("{{{Namespace}}} {Line}", options.Name, line),
        });
        var coding = CodingOf(storage, devices, _libraries);
        var live = config.Namespaces[options.Name];
        var backing = new DeviceBacking(
            devices,
            new DeviceBackingOptions
            {
                Cursors = Math.Min(workers, RecordLogOptions.StripesMax) + 1,
                Readers = workers,
                MaxWriteCache = () => live.Current.Storage.MaxWriteCache,
                PostWriteCache = () => live.Current.Storage.PostWriteCache,
                KeepAll = storage.IsMemory,
                Clock = clock,
            },
            devices.Metadata?.HighestBlockSequence ?? 0);
        return new NamespaceStorage(backing, devices.Save, devices.Metadata, updates, coding);
    }

    private static string? Given(string path) => path.Length == 0 ? null : path;
}
