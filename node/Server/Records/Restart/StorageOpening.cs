using Aerie.Foundation;
using Aerie.Io;
using Aerie.Server.Config;
using Aerie.Storage;
using Aerie.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Restart;

/// Opens what the persistent namespaces of a node lie on.
internal sealed class StorageOpening(
    IBlockDevices door, ConfigStore config, IClock clock, ILogger log, int workers, bool acceptMissingDevices)
{
    /// Throws StorageException or DeviceException with one line.
    public NamespaceStorage Open(NamespaceOptions options, LastUpdateClock updates)
    {
        var storage = options.Storage;
        var devices = DeviceSet.Open(door, new DeviceSetOptions
        {
            Namespace = options.Name,
            Devices = [.. storage.Paths.Select(static path => new DevicePath(path.Path, path.Shadow))],
            FileSize = storage.FileSize,
            Direct = !storage.ReadPageCache,
            DisableDataSync = storage.DisableOdsync,
            StartEmpty = storage.ColdStartEmpty,
            AcceptMissing = acceptMissingDevices,
            Clock = clock,
            Report = line => log.LogInformation("{{{Namespace}}} {Line}", options.Name, line),
        });
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
        return new NamespaceStorage(backing, devices.Save, devices.Metadata, updates);
    }
}
