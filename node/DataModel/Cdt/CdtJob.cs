using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;

namespace Aerie.DataModel.Cdt;

/// One operation at work on one container.
internal ref struct CdtJob
{
    public CdtOperation Operation { get; init; }

    public CdtArguments Arguments { get; init; }

    /// The container; where there is none yet, an empty one.
    public PackedContainer Target { get; set; }

    public bool IsNew { get; init; }

    public CdtScratch Scratch { get; init; }

    public OpOutcome Outcome { get; init; }

    /// Where a changed container is written, alone and from `OutputStart` on.
    public GrowingBytes Output { get; init; }



    /// The container is the whole bin: it may have an index.
    public bool IsTop { get; init; }

    public bool HasChanged { get; private set; }

    /// The container as it now is begins with this head; its elements follow.
    public void Begin(int count, byte flags)
    {
        HasChanged = true;
        CdtHead.Write(Output, Operation.OnMap, count, flags);
    }

    public void Begin(int count) => Begin(count, Target.Flags);

    /// Writes the container with new bytes in place of what lies between two offsets. `count` elements are the result.
    public void Splice(int count, int from, int to, scoped ReadOnlySpan<byte> bytes, scoped ReadOnlySpan<byte> more = default)
    {
        if (IsTop && CdtIndex.TryWriteHead(Output, Target, count, from, to, bytes.Length + more.Length, Scratch))
        {
            HasChanged = true;
        }
        else
        {
            Begin(count);
        }

        Output.Append(Target.Bytes[Target.First..from]);
        Output.Append(bytes);
        Output.Append(more);
        Output.Append(Target.Bytes[to..]);
    }
}
