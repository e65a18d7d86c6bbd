using System.Text;
using Aerie.Io;
using Aerie.Storage;
using Aerie.Storage.Codecs;
using Aerie.Storage.Devices;

namespace Aerie.Tools.Storage;

/// Looks at one device without changing it. A node may be writing to it: bytes that look damaged are read again until they
/// do so twice without having changed. Bytes that cannot be read are damage as well, and the rest is still looked at.
public sealed class DeviceInspection(IBlockDevice device, bool verify, Action<DeviceProgress> report)
{
    /// More are counted and not listed.
    public const int DamagesListed = 1000;

    private const int ReadsMax = 5;

    private readonly byte[] _block = new byte[DeviceLayout.BlockLength];
    private readonly byte[] _again = new byte[DeviceLayout.BlockLength];
    private readonly List<DamageReport> _damage = [];
    private readonly BlockMap _map = new();
    private readonly VerifyReport _verified = new();
    private long _damages;
    private ulong? _device;

    public DeviceReport Run()
    {
        var length = device.Length;
        if (length < (long)DeviceLayout.BlocksMin * DeviceLayout.BlockLength)
        {
            return Failed($"{device.Path}: {length} bytes are too few for a device of Aerie");
        }

        if (!TryRead(0, _block.AsSpan(0, DeviceLayout.DeviceHeadersLength)))
        {
            return Failed(_damage[0].What);
        }

        var refusal = DeviceHeader.Read(_block, out var header);
        if (refusal is not (DeviceRefusal.None or DeviceRefusal.Damaged))
        {
            return Failed(DeviceHeader.Explain(refusal, device.Path));
        }

        NoteLabel(refusal, header, length);
        var metadata = ReadMetadata(header);
        ReadBlocks(DeviceLayout.BlockCount(length));
        return new DeviceReport
        {
            Path = device.Path,
            Length = length,
            Label = header is null ? null : Describe(header),
            Metadata = metadata,
            Blocks = _map,
            Verified = verify ? _verified : null,
            Damages = _damages,
            Damage = _damage,
        };
    }

    private DeviceReport Failed(string error) => new() { Path = device.Path, Length = device.Length, Error = error };

    // ---- label ----

    private void NoteLabel(DeviceRefusal refusal, DeviceHeader? header, long length)
    {
        _device = header?.BlockDevice;
        if (refusal == DeviceRefusal.Damaged)
        {
            Damaged(0, DeviceLayout.DeviceHeadersLength, "both copies of the device header");
        }
        else if (!_block.AsSpan(0, DeviceLayout.PageLength).SequenceEqual(_block.AsSpan(DeviceLayout.PageLength, DeviceLayout.PageLength)))
        {
            Damaged(0, DeviceLayout.DeviceHeadersLength, "one copy of the device header");
        }

        if (header is not null && header.BlockCount > DeviceLayout.BlockCount(length))
        {
            Damaged(length, DeviceLayout.BlockOffset(header.BlockCount) - length, "the device ends before its last block");
        }
    }

    private static LabelReport Describe(DeviceHeader header) => new(
        header.Namespace,
        header.StorageId.ToString("x32"),
        header.DeviceId.ToString("x32"),
        header.DeviceNumber,
        header.DeviceCount,
        header.BlockCount,
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(header.CreatedUnixMilliseconds, 0, 253_402_300_799_999)), // year 9999
        header.Encryption switch
        {
            StorageCipher.Aes128 => "aes-128",
            StorageCipher.Aes256 => "aes-256",
            _ => "none",
        });

    // ---- metadata ----

    private MetadataReport? ReadMetadata(DeviceHeader? header)
    {
        NamespaceMetadata? newest = null;
        var states = new List<string>();
        for (var slot = 0; slot < DeviceLayout.MetadataSlots; slot++)
        {
            var bytes = _block.AsSpan(0, DeviceLayout.MetadataLengthMax);
            var isRead = TryRead(DeviceLayout.MetadataOffset(slot), bytes);
            var metadata = isRead ? NamespaceMetadata.TryRead(bytes) : null;
            var isOurs = metadata is not null && (header is null || metadata.StorageId == header.StorageId);
            states.Add(!isRead ? "unreadable" : isOurs ? "valid" : metadata is not null ? "of another storage"
                : bytes.ContainsAnyExcept((byte)0) ? "damaged" : "empty");
            newest = isOurs && (newest is null || metadata!.Generation > newest.Generation) ? metadata : newest;
        }

        if (newest is not null)
        {
            return Describe(newest, states);
        }

        // One slot may be half written, of a node that is writing or has crashed; then the other one holds.
        if (states.Contains("damaged"))
        {
            Damaged(DeviceLayout.MetadataOffset(0), DeviceLayout.MetadataSlots * DeviceLayout.MetadataLengthMax, "namespace metadata");
        }

        return null;
    }

    private static MetadataReport Describe(NamespaceMetadata metadata, List<string> states) => new(
        states,
        metadata.Generation,
        metadata.IsCleanShutdown,
        metadata.HighestBlockSequence,
        metadata.LastUpdateTimeMark,
        metadata.TruncateCut,
        metadata.SweptCut,
        metadata.Checkpoint is { } place ? new CheckpointReport(place.Sequence, place.Blocks.Length) : null,
        [.. metadata.Sets.Select(set => new SetReport(set.Id, Encoding.UTF8.GetString(set.Name), set.TruncateCut, set.SweptCut))]);

    // ---- blocks ----

    private void ReadBlocks(long count)
    {
        _map.Total = count - 1;
        var length = verify ? DeviceLayout.BlockLength : DeviceLayout.PageLength;
        for (var block = 1L; block < count; block++)
        {
            if (TryRead(DeviceLayout.BlockOffset(block), _block.AsSpan(0, length)))
            {
                Look(block, length);
            }
            else
            {
                _map.Damaged++;
            }

            report(new DeviceProgress(device.Path, block, count - 1, _verified.Records, block * length));
        }
    }

    private void Look(long block, int length)
    {
        var scan = Scan(length);
        for (var reads = 1; reads < ReadsMax && IsBad(scan); reads++)
        {
            if (!TryRead(DeviceLayout.BlockOffset(block), _again.AsSpan(0, length)))
            {
                break;
            }

            if (_again.AsSpan(0, length).SequenceEqual(_block.AsSpan(0, length)))
            {
                break;
            }

            _again.AsSpan(0, length).CopyTo(_block);
            scan = Scan(length);
        }

        Count(block, scan);
        if (scan.DamagedRanges > 0)
        {
            ListDamage(block, length);
        }
    }

    private static bool IsBad(in BlockScan scan) => scan.State == BlockState.Damaged || scan.DamagedRanges > 0;

    private BlockScan Scan(int length)
    {
        var scan = new BlockScan(_block.AsSpan(0, length), _device);
        while (scan.MoveNext())
        {
        }

        return scan;
    }

    private void Count(long block, in BlockScan scan)
    {
        switch (scan.State)
        {
            case BlockState.Wiped: _map.Wiped++; return;
            case BlockState.Foreign: _map.Foreign++; return;
            case BlockState.Damaged:
                _map.Damaged++;
                Damaged(DeviceLayout.BlockOffset(block), DeviceLayout.BlockLength, "block header");
                return;
            case BlockState.Checkpoint: _map.Checkpoint++; break;
            default:
                _map.Records++;
                _verified.Records += scan.Records;
                _verified.RemovalMarks += scan.Removals;
                _verified.ImageBytes += scan.ImageBytes;
                _verified.DamagedBytes += scan.DamagedBytes;
                _verified.UnfinishedBlocks += scan.TailUnit < StorageUnit.PerBlock ? 1 : 0;
                break;
        }

        var sequence = scan.Header.Sequence;
        _map.LowestSequence = Math.Min(_map.LowestSequence ?? sequence, sequence);
        _map.HighestSequence = Math.Max(_map.HighestSequence ?? sequence, sequence);
    }

    private void ListDamage(long block, int length)
    {
        var scan = new BlockScan(_block.AsSpan(0, length), _device);
        while (scan.MoveNext())
        {
            if (scan.Item == BlockItem.Damage)
            {
                var offset = DeviceLayout.BlockOffset(block) + ((long)scan.Unit * StorageUnit.Length);
                Damaged(offset, (long)scan.Units * StorageUnit.Length, scan.GaveUp ? "images, made to be costly" : "images");
            }
        }
    }

    // ---- damage ----

    private bool TryRead(long offset, Span<byte> into)
    {
        try
        {
            device.Read(offset, into);
            return true;
        }
        catch (DeviceException unreadable)
        {
            Damaged(offset, into.Length, unreadable.Message);
            return false;
        }
    }

    private void Damaged(long offset, long length, string what)
    {
        _damages++;
        if (_damage.Count < DamagesListed)
        {
            _damage.Add(new DamageReport(device.Path, offset, length, what));
        }
    }
}
