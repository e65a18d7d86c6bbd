using Aerie.Io;
using Aerie.Memory;

namespace Aerie.Server.Records.Fetching;

/// One read of a device: whole pages around an image. Everybody who asks for images in the same pages shares it. Used again.
public sealed class PageRead
{
    internal PageRead(int token) => Token = token;

    internal int Token { get; }

    internal IBlockDevice? Device { get; set; }

    internal long Offset { get; set; }

    internal int Length { get; set; }

    /// The life of the block that was read.
    internal uint Seed { get; set; }

    /// Who asked first, and when: its statistics get the read.
    internal Namespace? Namespace { get; set; }

    internal long Since { get; set; }

    internal BufferId Buffer { get; set; } = BufferId.None;

    internal PageReadState State { get; set; }

    /// 0, or why the device returned nothing.
    internal int Error { get; set; }

    /// One entry for each image. The read is free again when it is done and nobody is left.
    internal List<ImageFetch> Users { get; } = [];
}

internal enum PageReadState : byte
{
    /// Waits for its turn, or for nothing.
    Idle,
    InFlight,
    Done,
}
