using Aerie.Io;
using Aerie.Memory;

namespace Aerie.Node.Tests.Io;

/// Real files in a folder that goes with the test.
internal sealed class TempDevices : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("aerie-devices").FullName;
    private int _last;

    public string NewPath() => Path.Combine(_folder, $"device{++_last}");

    public IBlockDevice New(long length, bool isDirect = true) =>
        new DeviceFiles().Open(new DeviceOrder(NewPath(), length, isDirect, DataSync: false, ReadOnly: false));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
