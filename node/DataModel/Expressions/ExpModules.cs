using Aerie.DataModel.Bins;
using Aerie.DataModel.Bits;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Hll;
using Aerie.Foundation;

namespace Aerie.DataModel.Expressions;

/// The operation families that expressions call, by the wire's number. ModifyLocal: the call changes its target, and what it
/// evaluates to is the changed target; the record is not touched.
internal static class ExpModules
{
    public const long ModifyLocal = 0x40;

    private const long Cdt = 0;
    private const long Bits = 1;
    private const long Hll = 2;

    public static bool IsKnown(long module) => (module & ~ModifyLocal) is >= Cdt and <= Hll;

    /// Paths are operations of lists and maps.
    public static bool TakesPaths(long module) => (module & ~ModifyLocal) == Cdt;

    public static string NameOf(long module) => module switch
    {
        Cdt => "cdt",
        Bits => "bits",
        Hll => "hll",
        _ => "module",
    };

    /// False: the operation cannot be carried out on this target.
    public static bool TryRun(long module, BinValue target, ReadOnlySpan<byte> call, ExpScratch scratch, out BinValue result)
    {
        var modifies = (module & ModifyLocal) != 0;
        var outcome = scratch.Outcome;
        outcome.Begin();
        var code = (module & ~ModifyLocal) switch
        {
            Cdt => CdtCommand.Run(target, modifies, call, scratch.Cdt, outcome),
            Bits => BitsCommand.Run(target, modifies, call, outcome),
            _ => HllCommand.Run(target, modifies, call, scratch.Hll, outcome),
        };
        result = default;
        if (code != ResultCode.Ok || outcome.Value.Overflowed || outcome.Reply.Overflowed)
        {
            outcome.Value.WindBack(outcome.ValueOffset);
            outcome.Reply.WindBack(outcome.ReplyOffset);
            return false;
        }

        result = !modifies ? outcome.NewReply : outcome.HasChanged ? outcome.NewValue : target;
        return true;
    }
}
