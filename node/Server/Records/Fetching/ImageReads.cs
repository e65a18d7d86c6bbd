using Aerie.Foundation;
using Aerie.Io;
using Aerie.Server.Metrics;

namespace Aerie.Server.Records.Fetching;

/// The device reads of one loop: what is under way, and what waits because enough is. Owns the buffers of reads that are
/// done. Belongs to the loop's thread.
///
/// A read belongs to those who use it. When they have gone it still ends, because the kernel writes into its buffer; the
/// buffer is then returned.
public sealed class ImageReads(IIoEngine engine, Worker worker, Action<UnreadableImage> report) : IDisposable
{
    /// More does not make a device faster.
    public const int ReadsMax = 1024;

    public const long BytesMax = 64L * 1024 * 1024;

    private readonly List<PageRead> _all = [];
    private readonly Stack<PageRead> _free = new();
    private readonly Queue<PageRead> _waiting = new();
    private readonly Queue<ImageFetch> _arrived = new();
    private readonly Dictionary<Place, PageRead> _shared = [];
    private long _bytesInFlight;

    public int InFlight { get; private set; }

    /// Reads that wait for their turn.
    public int Waiting => _waiting.Count;

    /// A ReadDone of the engine. Those whose images are complete now are told by TellArrived.
    public void Completed(in Completion completion)
    {
        var read = _all[completion.Tag];
        Invariant.Holds(read.State == PageReadState.InFlight);
        read.State = PageReadState.Done;
        read.Error = completion.Length == read.Length ? 0 : completion.Length;
        InFlight--;
        _bytesInFlight -= read.Length;
        Forget(read);
        Count(read);
        foreach (var fetch in read.Users)
        {
            if (fetch.Arrived(read))
            {
                _arrived.Enqueue(fetch);
            }
        }

        FreeIfUnused(read);
        StartWaiting();
    }

    /// Once a turn, when all completions were handled.
    public void TellArrived()
    {
        while (_arrived.TryDequeue(out var fetch))
        {
            fetch.Tell();
        }
    }

    /// Before the engine is disposed, which returns the buffers of what is in flight.
    public void Dispose()
    {
        foreach (var read in _all)
        {
            if (read.State == PageReadState.Done)
            {
                engine.Buffers.Return(read.Buffer);
                read.State = PageReadState.Idle;
            }
        }
    }

    internal PageRead Ask(in MissingImage image, ImageFetch fetch)
    {
        var (device, offset) = image.Namespace.Log.PlaceOf(image.Location);
        var start = offset & -(long)device.Alignment;
        var end = (offset + image.Location.Length + device.Alignment - 1) & -(long)device.Alignment;
        var place = new Place(device.File, start, image.Seed);
        if (!_shared.TryGetValue(place, out var read) || read.Length < end - start)
        {
            read = New();
            read.Device = device;
            read.Offset = start;
            read.Length = (int)(end - start);
            read.Seed = image.Seed;
            read.Namespace = image.Namespace;
            read.Since = worker.Clock.MonotonicNanoseconds;
            _shared[place] = read;
            _waiting.Enqueue(read);
        }

        read.Users.Add(fetch);
        StartWaiting();
        return read;
    }

    internal void Leave(PageRead read, ImageFetch fetch)
    {
        read.Users.Remove(fetch);
        FreeIfUnused(read);
    }

    internal ReadOnlySpan<byte> Bytes(PageRead read) => engine.Buffers.Span(read.Buffer)[..read.Length];

    internal void Report(in MissingImage image, PageRead read)
    {
        image.Namespace.Counters.Add(worker.Number, NamespaceCounter.DeviceReadErrors);
        var (device, offset) = image.Namespace.Log.PlaceOf(image.Location);
        report(new UnreadableImage(image.Namespace.Name, device.Path, offset, image.Location.Length, read.Error));
    }

    // In the order in which they were asked for. A single one may be larger than the limit.
    private void StartWaiting()
    {
        while (_waiting.TryPeek(out var read))
        {
            if (read.Users.Count > 0)
            {
                if (InFlight > 0 && (InFlight == ReadsMax || _bytesInFlight + read.Length > BytesMax))
                {
                    return;
                }

                Start(read);
            }
            else
            {
                Forget(read);
                Free(read); // whoever asked has gone
            }

            _waiting.Dequeue();
        }
    }

    private void Start(PageRead read)
    {
        read.Buffer = engine.Buffers.RentAligned(read.Length);
        read.State = PageReadState.InFlight;
        InFlight++;
        _bytesInFlight += read.Length;
        engine.Read(read.Device!, read.Offset, read.Buffer, read.Length, read.Token);
    }

    private void Count(PageRead read)
    {
        var records = read.Namespace!;
        records.Counters.Add(worker.Number, NamespaceCounter.DeviceReads);
        records.Counters.Add(worker.Number, NamespaceCounter.DeviceReadBytes, read.Error == 0 ? read.Length : 0);
        records.Latencies.DeviceRead.Record(worker.Number, worker.Clock.MonotonicNanoseconds - read.Since);
    }

    // Who comes later reads again: a device that failed may have recovered.
    private void Forget(PageRead read)
    {
        var place = new Place(read.Device!.File, read.Offset, read.Seed);
        if (_shared.TryGetValue(place, out var shared) && shared == read)
        {
            _shared.Remove(place);
        }
    }

    private void FreeIfUnused(PageRead read)
    {
        if (read.State == PageReadState.Done && read.Users.Count == 0)
        {
            engine.Buffers.Return(read.Buffer);
            Free(read);
        }
    }

    private PageRead New()
    {
        if (_free.Count == 0)
        {
            _all.Add(new PageRead(_all.Count));
            return _all[^1];
        }

        return _free.Pop();
    }

    private void Free(PageRead read)
    {
        read.State = PageReadState.Idle;
        read.Device = null;
        read.Namespace = null;
        _free.Push(read);
    }

    /// A page of a device in one life of its block.
    private readonly record struct Place(int File, long Offset, uint Seed);
}

/// For the operator. Error: negative errno; 0: the device returned something that is not what was written. IsUndecodable: it is
/// what was written, but not with this key, or its content is no record.
public readonly record struct UnreadableImage(
    string Namespace, string Path, long Offset, int Length, int Error, bool IsUndecodable = false);
