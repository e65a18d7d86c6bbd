using Aerie.Foundation;
using Aerie.Storage;

namespace Aerie.Server.Records.Fetching;

/// An image that is not in memory. The seed stands for one life of its block, so place and seed together mean the same
/// bytes for ever: an image read from there serves whoever finds its record at that place, however late.
public readonly record struct MissingImage(Namespace Namespace, RecordLocation Location, uint Seed);

/// Who waits for images.
public interface IImageUser
{
    /// All that was asked for is there, or known to be unreadable. On the loop's thread, with nothing held.
    void ImagesArrived();
}

/// What the search for a fetched image came to.
public enum FetchedImage : byte
{
    NotFetched,
    Sound,

    /// The device failed, or what it returned is not what was written.
    Unreadable,
}

/// The images that one waiting command, or the next rows of a batch or a query, needs from devices. They are read side by
/// side and stay until Clear. Belongs to one loop's thread.
public sealed class ImageFetch(ImageReads reads)
{
    /// As many as are worth having under way for one client.
    public const int ImagesMax = 32;

    /// What one client's images may take; a single larger one is read alone.
    public const int BytesMax = 1024 * 1024;

    private Item[] _items = new Item[1];
    private int _count;
    private int _started;
    private int _outstanding;
    private int _bytes;
    private bool _mustTell;

    /// Told when everything has arrived.
    public IImageUser? User { get; set; }

    public bool IsEmpty => _count == 0;

    public bool IsWaiting => _outstanding > 0;

    public bool HasRoom => _count < ImagesMax && _bytes < BytesMax;

    /// Notes what to read; nothing is read before Start. A gate may be held.
    public void Add(in MissingImage image)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_items[i].Image == image)
            {
                return;
            }
        }

        if (_count == _items.Length)
        {
            Array.Resize(ref _items, _count * 2);
        }

        _items[_count++] = new Item { Image = image };
        _bytes += image.Location.Length;
    }

    /// Asks for what was added. No gate may be held.
    public void Start()
    {
        for (; _started < _count; _started++)
        {
            _outstanding++;
            _items[_started].Read = reads.Ask(_items[_started].Image, this);
        }
    }

    /// Caller holds the gate under which it has found the record there.
    public FetchedImage Find(scoped in MissingImage image, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        for (var i = 0; i < _count; i++)
        {
            ref var item = ref _items[i];
            if (item.Image.Location != image.Location || item.Image != image)
            {
                continue;
            }

            item.IsMet = true;
            bytes = item.State == FetchedImage.Sound ? BytesOf(item) : default;
            return item.State;
        }

        return FetchedImage.NotFetched;
    }

    /// Gives everything back. What is under way ends for nobody.
    public void Clear()
    {
        for (var i = 0; i < _count; i++)
        {
            ref var item = ref _items[i];
            if (item.State == FetchedImage.Unreadable && item.IsMet)
            {
                reads.Report(item.Image, item.Read!);
            }

            if (item.Read is not null)
            {
                reads.Leave(item.Read, this);
            }

            item = default;
        }

        _count = 0;
        _started = 0;
        _outstanding = 0;
        _bytes = 0;
        _mustTell = false;
    }

    // Bytes that do not verify are an error only if the record is still there when the command runs again: its block may
    // have begun another life while it was read.
    internal bool Arrived(PageRead read)
    {
        for (var i = 0; i < _started; i++)
        {
            ref var item = ref _items[i];
            if (item.Read == read && item.State == FetchedImage.NotFetched)
            {
                item.State = IsSound(item) ? FetchedImage.Sound : FetchedImage.Unreadable;
                _outstanding--;
                _mustTell = _outstanding == 0;
            }
        }

        return _mustTell;
    }

    internal void Tell()
    {
        if (_mustTell)
        {
            _mustTell = false;
            User!.ImagesArrived();
        }
    }

    private bool IsSound(in Item item) =>
        item.Read!.Error == 0 && RecordImageReader.TryOpenStored(BytesOf(item), out var reader) && reader.Verify(item.Image.Seed);

    private ReadOnlySpan<byte> BytesOf(in Item item)
    {
        var read = item.Read!;
        var (_, offset) = item.Image.Namespace.Log.PlaceOf(item.Image.Location);
        return reads.Bytes(read).Slice((int)(offset - read.Offset), item.Image.Location.Length);
    }

    private struct Item
    {
        public MissingImage Image;
        public PageRead? Read;
        public FetchedImage State;

        /// A command has found its record there since.
        public bool IsMet;
    }
}
