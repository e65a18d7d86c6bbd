using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.Lua;

/// The record that a function works on, as the engine sees it. Who runs the function holds the record's lock from Start to the
/// end of the run, so that nothing changes underneath. Bytes handed out need to stay only until the next call of a member.
///
/// The engine keeps what the script assigns to itself until the script says create or update: then each assigned bin comes by
/// SetBin or RemoveBin, and Create or Update follows at once. When that answers an error, or one of the bins did, what was
/// set since the one before is to be forgotten; the engine hands it over again with the next. Values are as bins
/// store them: integers and doubles of eight bytes, big-endian, lists and maps packed. GeoJSON comes without cells (flags 0,
/// count 0, text): whoever stores it computes them.
public interface IUdfRecord
{
    bool Exists { get; }

    /// The bin as it is stored, or as the last successful create or update left it. Type Null: there is none.
    BinValue Bin(ReadOnlySpan<byte> name);

    int BinCount { get; }

    ReadOnlySpan<byte> BinName(int index);

    ReadOnlySpan<byte> Digest { get; }

    ReadOnlySpan<byte> SetName { get; }

    /// The user's key, if the record keeps one: an integer (eight bytes), string or blob.
    BinValue Key { get; }

    long Metadata(UdfMetadata what);

    /// As clients say it: seconds, or 0, -1, -2 with their meanings. Takes effect with the next create or update.
    void SetTimeToLive(uint seconds);

    /// The key is not to be stored any more. Takes effect with the next update.
    void DropKey();

    /// Anything but Ok fails the create or update that is under way, and the script gets that code.
    ResultCode SetBin(ReadOnlySpan<byte> name, ParticleType type, ReadOnlySpan<byte> value);

    ResultCode RemoveBin(ReadOnlySpan<byte> name);

    ResultCode Create();

    /// Without a bin set before it is a touch.
    ResultCode Update();

    ResultCode Remove();
}

/// What record.ttl(), record.gen() and their like ask for, in the units that scripts get.
public enum UdfMetadata : byte
{
    /// Seconds left.
    TimeToLive,

    /// Milliseconds since 2010.
    LastUpdateTime,
    Generation,
    Size,
    MemorySize,
    DeviceSize,
}
