using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Aerie.Foundation;
using Aerie.Io;
using Aerie.Memory;
using Aerie.Storage.Codecs;

namespace Aerie.Storage.Devices;

/// The devices of one namespace, opened and known to belong together. Opening decides what each of them is: empty ones are
/// formatted, known ones are taken, anything else is refused before a byte is written anywhere.
public sealed class DeviceSet : IDisposable
{
    private const int CopyLength = DeviceLayout.BlockLength;

    private readonly NativeRegion _label = NativeRegion.Reserve(DeviceLayout.MetadataLengthMax, hugePages: false);
    private ulong _generation;

    private DeviceSet(StorageDevice[] devices, bool isNew, DataKey? key)
    {
        Devices = devices;
        IsNew = isNew;
        DataKey = key;
        Metadata = ReadMetadata();
        _generation = Metadata?.Generation ?? 0;
    }

    public IReadOnlyList<StorageDevice> Devices { get; }

    /// All devices have just been formatted: there is nothing to recover.
    public bool IsNew { get; }

    public UInt128 StorageId => Devices[0].Header.StorageId;

    /// What the images of the storage are encrypted with; null: with nothing.
    public DataKey? DataKey { get; }

    /// The newest that any device has; null on a new storage, or when none is whole.
    public NamespaceMetadata? Metadata { get; }

    /// Throws StorageException or DeviceException with one line.
    public static DeviceSet Open(IBlockDevices door, DeviceSetOptions options)
    {
        var opened = new List<Opened>();
        try
        {
            foreach (var path in options.Devices)
            {
                opened.Add(Opened.Of(door, path, options));
            }

            var known = options.StartEmpty ? [] : opened.Where(device => device.Header is not null).ToList();
            CheckTogether(known, options);
            return Take(opened, known, options);
        }
        catch
        {
            opened.ForEach(static device => device.Dispose());
            throw;
        }
    }

    /// Writes the metadata to every device, so that it is safe when this returns. One thread at a time.
    public void Save(NamespaceMetadata metadata)
    {
        metadata.Generation = _generation + 1;
        metadata.StorageId = StorageId;
        var slot = _label.Span(0, DeviceLayout.MetadataLengthMax);
        var fits = metadata.TryWrite(slot, out var length);
        Invariant.Holds(fits); // the set table has a limit that keeps it far below
        foreach (var device in Devices)
        {
            device.Write(DeviceLayout.MetadataOffset(DeviceLayout.MetadataSlotOf(metadata.Generation)), slot[..length]);
        }

        Sync();
        _generation = metadata.Generation; // not before: the next attempt must not take the other slot, the only good one
    }

    public void Sync()
    {
        foreach (var device in Devices)
        {
            device.Sync();
        }
    }

    public void Dispose()
    {
        foreach (var device in Devices)
        {
            device.Dispose();
        }

        _label.Dispose();
    }

    // Devices that were formatted together say so; what does not fit together is never guessed at.
    private static void CheckTogether(List<Opened> known, DeviceSetOptions options)
    {
        foreach (var device in known)
        {
            var header = device.Header!;
            if (header.Namespace != options.Namespace)
            {
                throw new StorageException($"{device.Path}: holds records of namespace {header.Namespace}, not {options.Namespace}: "
                    + "correct the path; to give its data up run aerie-node init-volume --force on it");
            }

            if (header.StorageId != known[0].Header!.StorageId)
            {
                throw new StorageException($"{device.Path}: belongs to another storage of namespace {header.Namespace} than "
                    + $"{known[0].Path}: "
                    + "configure devices that were used together, or run aerie-node init-volume --force on one of them");
            }

            if (device.Blocks < header.BlockCount)
            {
                throw new StorageException($"{device.Path}: has {device.Blocks} blocks of 8 MiB, but held {header.BlockCount} when "
                    + "it was last used: records behind its end would be lost; give it back its size");
            }
        }

        foreach (var twice in known.GroupBy(device => device.Header!.DeviceNumber).Where(group => group.Count() > 1))
        {
            throw new StorageException(
                $"{twice.First().Path} and {twice.Last().Path} are copies of the same device: configure one of them");
        }

        // Formatting may have been cut short: a device that nothing was saved on yet knows nothing of others' records.
        var used = known.Where(static device => device.IsUsed).ToList();
        var missing = used.Count == 0 ? 0 : used.Max(device => device.Header!.DeviceCount) - known.Count;
        if (missing > 0 && !options.AcceptMissing)
        {
            throw new StorageException($"namespace {options.Namespace}: {missing} of {missing + known.Count} devices are not "
                + "configured any more: the records on them would be lost (up to that share of all records); configure them again, "
                + "or start with --accept-missing-devices to go on without them");
        }
    }

    private static DeviceSet Take(List<Opened> opened, List<Opened> known, DeviceSetOptions options)
    {
        var storage = known.Count > 0 ? known[0].Header!.StorageId : RandomId();
        var (key, slot) = known.Count > 0 ? KeyOf(known, storage, options.Keys) : (options.Keys.CreateDataKey(), null);
        var keySlot = slot ?? Wrap(key, storage, options.Keys);
        var number = known.Count > 0 ? known.Max(device => device.Header!.DeviceNumber) + 1 : 0;
        var keepsNumbers = number + opened.Count - known.Count == opened.Count;
        var devices = new StorageDevice[opened.Count];
        // New ones first: a header that counts them is on a known device only when they are formatted.
        foreach (var i in Enumerable.Range(0, devices.Length).OrderBy(at => known.Contains(opened[at])))
        {
            var device = opened[i];
            var isKnown = known.Contains(device);
            var header = new DeviceHeader
            {
                Namespace = options.Namespace,
                StorageId = storage,
                DeviceId = isKnown ? device.Header!.DeviceId : RandomId(),
                DeviceNumber = !keepsNumbers ? i : isKnown ? device.Header!.DeviceNumber : number++,
                DeviceCount = devices.Length,
                BlockCount = device.Blocks,
                CreatedUnixMilliseconds = isKnown ? device.Header!.CreatedUnixMilliseconds : options.Clock.UnixMilliseconds,
                Encryption = options.Keys.Cipher,
                KeySlot = keySlot,
            };
            device.Prepare(header, isKnown, options);
            devices[i] = device.Take(header, options.DisableDataSync);
        }

        return new DeviceSet(devices, known.Count == 0, key);
    }

    // The data key, and the slot it is in; no slot when the old key file had to open one: then all devices get a new one.
    private static (DataKey? Key, KeySlot? Slot) KeyOf(List<Opened> known, UInt128 storage, KeyRing keys)
    {
        var id = BytesOf(storage);
        DataKey? key = null;
        KeySlot? slot = known[0].Header!.KeySlot;
        foreach (var device in known)
        {
            var opened = keys.Open(device.Path, device.Header!.Encryption, id, device.Header.KeySlot.Bytes, out var isOld);
            if (key is not null && !key.IsSameAs(opened!))
            {
                throw new StorageException($"{device.Path}: has another data key than {known[0].Path}, although both belong to one "
                    + "storage: one of their headers was exchanged; configure devices that were used together");
            }

            key ??= opened;
            slot = isOld ? null : slot;
        }

        return (key, slot);
    }

    private static KeySlot Wrap(DataKey? key, UInt128 storage, KeyRing keys)
    {
        Span<byte> slot = stackalloc byte[KeyRing.SlotLength];
        keys.Wrap(key, BytesOf(storage), slot);
        return new KeySlot(slot);
    }

    private static byte[] BytesOf(UInt128 id)
    {
        var bytes = new byte[KeyRing.StorageIdLength];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, id);
        return bytes;
    }

    private NamespaceMetadata? ReadMetadata()
    {
        NamespaceMetadata? newest = null;
        foreach (var device in Devices)
        {
            for (var slot = 0; slot < DeviceLayout.MetadataSlots; slot++)
            {
                var bytes = _label.Span(0, DeviceLayout.MetadataLengthMax);
                device.Read(DeviceLayout.MetadataOffset(slot), bytes);
                var metadata = NamespaceMetadata.TryRead(bytes);
                if (metadata is not null && metadata.StorageId == StorageId && metadata.Generation > (newest?.Generation ?? 0))
                {
                    newest = metadata;
                }
            }
        }

        return newest;
    }

    private static UInt128 RandomId() => BinaryPrimitives.ReadUInt128LittleEndian(RandomNumberGenerator.GetBytes(16));

    /// A device on its way into the set.
    private sealed class Opened(IBlockDevice device, IBlockDevice? shadow, DeviceHeader? header, bool isWhole) : IDisposable
    {
        public DeviceHeader? Header => header;

        public string Path => device.Path;

        /// Metadata was saved here, which comes before the first record.
        public bool IsUsed { get; } = header is not null && HasMetadata(device);

        public long Blocks { get; } = DeviceLayout.BlockCount(Math.Min(device.Length, shadow?.Length ?? long.MaxValue));

        public static Opened Of(IBlockDevices door, DevicePath path, DeviceSetOptions options)
        {
            var order = new DeviceOrder(path.Path, options.FileSize, options.Direct, !options.DisableDataSync, ReadOnly: false);
            var device = door.Open(order);
            IBlockDevice? shadow = null;
            try
            {
                shadow = path.Shadow is null ? null : door.Open(order with { Path = path.Shadow });
                return new Opened(device, shadow, HeaderOf(device, shadow, options), HasAllCopies(device, shadow));
            }
            catch
            {
                device.Dispose();
                shadow?.Dispose();
                throw;
            }
        }

        // An empty device takes over what its shadow has: that is what shadows are for. An empty shadow gets it all.
        private static DeviceHeader? HeaderOf(IBlockDevice device, IBlockDevice? shadow, DeviceSetOptions options)
        {
            var blocks = DeviceLayout.BlockCount(device.Length);
            if (blocks < DeviceLayout.BlocksMin)
            {
                throw new StorageException(
                    $"{device.Path}: has {device.Length} bytes; at least {DeviceLayout.BlocksMin} blocks of 8 MiB are needed");
            }

            var header = ReadHeader(device, options.StartEmpty);
            if (shadow is null)
            {
                return header;
            }

            var shadowed = ReadHeader(shadow, options.StartEmpty);
            if (header is not null && shadowed is not null && header.DeviceId != shadowed.DeviceId)
            {
                throw new StorageException($"{shadow.Path}: is the shadow of another device than {device.Path}: correct the pair, or run "
                    + "aerie-node init-volume --force on the one to be filled anew");
            }

            if (!options.StartEmpty && header is null && shadowed is not null)
            {
                Copy(shadow, device, shadowed.BlockCount, options.Report);
            }
            else if (!options.StartEmpty && header is not null && shadowed is null)
            {
                Copy(device, shadow, header.BlockCount, options.Report);
            }

            return header ?? shadowed;
        }

        // A crash between two copies leaves an older one behind, which later may be the only one that can be read: with a key
        // slot in it whose file is long gone.
        private static bool HasAllCopies(IBlockDevice device, IBlockDevice? shadow)
        {
            using var region = NativeRegion.Reserve(2 * DeviceLayout.DeviceHeadersLength, hugePages: false);
            var pages = region.Span(0, DeviceLayout.DeviceHeadersLength);
            var others = region.Span(DeviceLayout.DeviceHeadersLength, DeviceLayout.DeviceHeadersLength);
            device.Read(0, pages);
            (shadow ?? device).Read(0, others);
            return pages.SequenceEqual(others) && pages[..DeviceLayout.PageLength].SequenceEqual(pages[DeviceLayout.PageLength..]);
        }

        /// Wipes what an earlier use left behind, and writes the label.
        public void Prepare(DeviceHeader wanted, bool isKnown, DeviceSetOptions options)
        {
            var grown = isKnown ? header!.BlockCount : 1;
            if (isKnown && isWhole && wanted == header)
            {
                return;
            }

            using var region = NativeRegion.Reserve(DeviceLayout.MetadataLengthMax, hugePages: false);
            var zeros = region.Span(0, DeviceLayout.MetadataLengthMax);
            if (!isKnown)
            {
                options.Report($"{Path}: formatting {Blocks} blocks for namespace {wanted.Namespace}");
                for (var slot = 0; slot < DeviceLayout.MetadataSlots; slot++)
                {
                    Write(DeviceLayout.MetadataOffset(slot), zeros);
                }
            }

            for (var block = grown; block < Blocks; block++)
            {
                Write(DeviceLayout.BlockOffset(block), zeros[..DeviceLayout.PageLength]);
            }

            var pages = region.Span(0, DeviceLayout.DeviceHeadersLength);
            wanted.Write(pages);
            Sync();
            Write(0, pages[..DeviceLayout.PageLength]);
            Sync();
            Write(DeviceLayout.PageLength, pages[DeviceLayout.PageLength..]);
            Sync();
        }

        public StorageDevice Take(DeviceHeader wanted, bool mustSync) => new(device, shadow, wanted, mustSync);

        public void Dispose()
        {
            device.Dispose();
            shadow?.Dispose();
        }

        private static DeviceHeader? ReadHeader(IBlockDevice device, bool startEmpty)
        {
            using var region = NativeRegion.Reserve(DeviceLayout.DeviceHeadersLength, hugePages: false);
            var pages = region.Span(0, DeviceLayout.DeviceHeadersLength);
            device.Read(0, pages);
            var refusal = DeviceHeader.Read(pages, out var header);
            if (refusal is not (DeviceRefusal.None or DeviceRefusal.Empty) && !(startEmpty && refusal == DeviceRefusal.Damaged))
            {
                throw new StorageException(DeviceHeader.Explain(refusal, device.Path));
            }

            return header;
        }

        // Formatting has wiped both slots before it wrote the header, so what is not zero was saved later, whole or not.
        private static bool HasMetadata(IBlockDevice device)
        {
            using var region = NativeRegion.Reserve(DeviceLayout.PageLength, hugePages: false);
            var page = region.Span(0, DeviceLayout.PageLength);
            for (var slot = 0; slot < DeviceLayout.MetadataSlots; slot++)
            {
                device.Read(DeviceLayout.MetadataOffset(slot), page);
                if (page.ContainsAnyExcept((byte)0))
                {
                    return true;
                }
            }

            return false;
        }

        private static void Copy(IBlockDevice from, IBlockDevice to, long blocks, Action<string> report)
        {
            if (DeviceLayout.BlockCount(to.Length) < blocks)
            {
                throw new StorageException(
                    $"{to.Path}: is smaller than {from.Path}, which it has to take over: {blocks} blocks of 8 MiB are needed");
            }

            using var region = NativeRegion.Reserve(CopyLength);
            var bytes = region.Span(0, CopyLength);
            for (var block = blocks - 1; block >= 0; block--) // the device header last: a copy that is cut short is none
            {
                from.Read(DeviceLayout.BlockOffset(block), bytes);
                var skipped = block == 0 ? DeviceLayout.DeviceHeadersLength : 0;
                to.Write(DeviceLayout.BlockOffset(block) + skipped, bytes[skipped..]);
                if (block % 128 == 0)
                {
                    report($"{to.Path}: copied from {from.Path}, {block} blocks of {blocks} to go");
                }
            }

            to.Sync();
            to.Write(0, bytes[..DeviceLayout.DeviceHeadersLength]);
            to.Sync();
        }

        private void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            device.Write(offset, bytes);
            shadow?.Write(offset, bytes);
        }

        private void Sync()
        {
            device.Sync();
            shadow?.Sync();
        }
    }
}
