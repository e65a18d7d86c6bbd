using Aerie.Io;
using Aerie.Memory;
using Aerie.Memory.Compression;
using Aerie.Storage.Devices;

namespace Aerie.Server.Records.Restart;

/// Runs one phase of a restart on a thread for each worker. The first failure ends it.
internal sealed class RestartThreads(IReadOnlyList<Worker> workers)
{
    private volatile Exception? _failure;

    /// The work should end soon.
    public bool HasFailed => _failure is not null;

    /// Returns when all have ended. Throws StorageException with what went wrong.
    public void Run(Action<Worker> work)
    {
        var threads = workers.Select(worker => new Thread(() => Guard(work, worker)) { IsBackground = true, Name = "restart" }).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        if (_failure is { } failure)
        {
            throw new StorageException(failure.Message);
        }
    }

    private void Guard(Action<Worker> work, Worker worker)
    {
        try
        {
            work(worker);
        }
        catch (Exception failure) when (failure is DeviceException or StorageException or NativeMemoryException
            or MissingLibraryException)
        {
            _failure = failure;
        }
    }
}
