using System.Runtime.CompilerServices;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Aerie.Index;
using Aerie.Server.Records;
using Aerie.Storage;

namespace Aerie.Server.Transactions;

/// The condition of a command. It is compiled once, kept by the worker while its command runs, and asked twice about a record:
/// first by what the index knows, and only when that does not decide it, with the record's image at hand.
internal static class RecordFilter
{
    /// The command may go on once it was compiled.
    public static ResultCode Begin(Worker worker, scoped ReadOnlySpan<byte> packed)
    {
        var program = worker.Scratches.Expressions.Rent();
        worker.Filter = program;
        return ExpCompiler.CompileFilter(packed, program);
    }

    public static void End(Worker worker)
    {
        worker.Scratches.Expressions.Return(worker.Filter!);
        worker.Filter = null;
    }

    /// False: the record is not wanted, whatever its bins say. `isDecided`: it is wanted, whatever they say. Caller holds the gate.
    public static bool MayPass(Worker worker, Namespace records, in Digest digest, in RecordEntry entry, out bool isDecided)
    {
        isDecided = false;
        return worker.Filter!.IsAboutBinsAlone || MayPassByMetadata(worker, records, digest, entry, out isDecided);
    }

    /// Loads the image's bins into the draft. Caller holds the gate.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Passes(Worker worker, Namespace records, in Digest digest, in RecordEntry entry, in RecordImageReader image)
    {
        worker.Draft.Clear();
        worker.Draft.Load(image);
        var view = new RecordView(worker, records, digest, entry, image, new DraftSources(image.Image, default));
        return ExpEvaluation.EvaluateFilter(worker.Filter!, worker.Scratches.Expressions, view) == Trilean.True;
    }

    /// For a record that is there and not opened yet. Ok: it passes. Caller holds the gate.
    public static ResultCode Check(Worker worker, scoped in RecordCommand command, in RecordEntry entry)
    {
        var records = command.Namespace;
        return !MayPass(worker, records, command.Digest, entry, out var isDecided) ? ResultCode.FilteredOut
            : isDecided ? ResultCode.Ok
            : !records.TryOpen(worker, entry, out var image) ? ResultCode.Unknown
            : Passes(worker, records, command.Digest, entry, image) ? ResultCode.Ok
            : ResultCode.FilteredOut;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool MayPassByMetadata(Worker worker, Namespace records, in Digest digest, in RecordEntry entry, out bool isDecided)
    {
        var answer = ExpEvaluation.EvaluateMetadata(
            worker.Filter!, worker.Scratches.Expressions, new RecordView(worker, records, digest, entry));
        isDecided = answer == Trilean.True;
        return answer != Trilean.False;
    }
}
