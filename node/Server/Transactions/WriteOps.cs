using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Geo;
using Aerie.Foundation;
using Aerie.Protocol;
using Aerie.Server.Records;

namespace Aerie.Server.Transactions;

/// What the operations of a write are, found out before the record is touched.
internal readonly record struct WritePlan(bool NeedsRecord, bool HasReads)
{
    /// Looks at every operation once: unknown codes, names too long and combinations that contradict each other are
    /// refused before any work is done.
    public static ResultCode Make(in RecordCommand command, out WritePlan plan)
    {
        var replaces = command.Asks(Info3.CreateOrReplace) || command.Asks(Info3.ReplaceOnly);
        var needsRecord = false;
        var hasReads = false;
        plan = default;
        if (command.OpCount == 0 || WritePolicy.Contradicts(command))
        {
            return ResultCode.Parameter;
        }

        var ops = command.Ops;
        while (ops.TryNext(out var op))
        {
            if (op.Name.Length > RecordDraft.NameLengthMax)
            {
                return ResultCode.BinName;
            }

            var row = OpTable.Of(op.Code);
            var isNullWrite = row.Kind == OpKind.Write && op.ParticleType == (byte)ParticleType.Null;
            if (row.Kind == OpKind.Unknown || (row.NeedsName && op.Name.IsEmpty)
                || (replaces && row.Modifies && (row.Kind != OpKind.Write || isNullWrite)))
            {
                return ResultCode.Parameter;
            }

            hasReads |= !row.Modifies;
            needsRecord |= row.Kind == OpKind.Touch;
        }

        plan = new WritePlan(needsRecord, hasReads);
        return ResultCode.Ok;
    }
}

/// Applies the operations of a write to a draft, one after the other, and adds what they read to the reply.
internal readonly ref struct WriteOps(Worker worker, RecordView view, DraftSources sources, scoped in RecordCommand command)
{
    private readonly RecordView _view = view;
    private readonly RecordDraft _draft = worker.Draft;
    private readonly RecordCommand _command = command;
    private readonly DraftSources _sources = sources;

    public ResultCode Apply(ref RecordReply reply)
    {
        var respondAll = _command.Asks(Info2.RespondAllOps);
        var computed = new ComputedOps(worker, _view, _sources, respondAll);
        var ops = _command.Ops;
        while (ops.TryNext(out var op))
        {
            var row = OpTable.Of(op.Code);
            if (row.IsComputed)
            {
                var computedResult = computed.Run(row, op, ref reply);
                if (computedResult != ResultCode.Ok)
                {
                    return computedResult;
                }

                continue;
            }

            if (row.Kind == OpKind.Read)
            {
                Read(ref reply, op, respondAll);
                if (reply.Overflowed)
                {
                    return ResultCode.Parameter;
                }

                continue;
            }

            var result = Modify(op);
            if (result != ResultCode.Ok)
            {
                return result;
            }

            if (respondAll)
            {
                reply.AddOp(op.Name, ParticleType.Null, default);
            }
        }

        return ResultCode.Ok;
    }

    private ResultCode Modify(scoped in Op op)
    {
        var operand = new BinOperand
        {
            Name = op.Name,
            NameOffset = op.NameOffset,
            ParticleType = op.ParticleType,
            Value = op.Value,
            ValueOffset = op.ValueOffset,
        };
        switch ((OpCode)op.Code)
        {
            case OpCode.Write when op.ParticleType == (byte)ParticleType.Null:
                _draft.Remove(_sources, op.Name);
                return ResultCode.Ok;
            case OpCode.Write when op.ParticleType == (byte)ParticleType.GeoJson:
                return PutGeo(operand);
            case OpCode.Write when op.ParticleType is (byte)ParticleType.List or (byte)ParticleType.Map:
                return PutContainer(operand);
            case OpCode.Write:
                return _draft.Put(_sources, operand);
            case OpCode.Add:
                return _draft.Add(_sources, operand);
            case OpCode.Append:
                return _draft.Append(_sources, operand);
            case OpCode.Prepend:
                return _draft.Prepend(_sources, operand);
            case OpCode.Delete:
                _draft.RemoveAll();
                return ResultCode.Ok;
            default:
                return ResultCode.Ok; // touch: the new metadata is all it does
        }
    }

    // What a client sends is checked, and a large ordered one gets its index.
    private ResultCode PutContainer(scoped in BinOperand operand)
    {
        var scratch = _draft.Scratch;
        var start = scratch.Length;
        var type = (ParticleType)operand.ParticleType;
        var result = CdtWire.Read(operand.Value, type, worker.Scratches.Cdt, scratch, out var asGiven);
        return result != ResultCode.Ok ? result
            : asGiven ? _draft.Put(_sources, operand)
            : scratch.Overflowed ? ResultCode.RecordTooBig
            : _draft.PutComputed(_sources, operand, type, start, scratch.Length - start);
    }

    // The text comes without its cells.
    private ResultCode PutGeo(scoped in BinOperand operand)
    {
        var scratch = _draft.Scratch;
        var start = scratch.Length;
        if (!GeoParticle.TryText(operand.Value, out var json))
        {
            return ResultCode.Parameter;
        }

        var result = GeoParticle.TryBuild(json, CoveringOptions.Default, worker.Scratches.Geo, scratch);
        return result == ResultCode.Ok
            ? _draft.PutComputed(_sources, operand, ParticleType.GeoJson, start, scratch.Length - start)
            : result;
    }

    private void Read(ref RecordReply reply, scoped in Op op, bool respondAll)
    {
        if (_command.Asks(Info1.NoBinData))
        {
            return;
        }

        if (op.Name.IsEmpty)
        {
            for (var slot = 0; slot < _draft.SlotCount && !reply.Overflowed; slot++)
            {
                if (_draft.IsLive(slot))
                {
                    reply.AddOp(_draft.NameOf(_sources, slot), _draft.TypeOf(slot), _draft.ValueOf(_sources, slot));
                }
            }

            return;
        }

        var found = _draft.Find(_sources, op.Name);
        if (found >= 0)
        {
            reply.AddOp(op.Name, _draft.TypeOf(found), _draft.ValueOf(_sources, found));
        }
        else if (respondAll)
        {
            reply.AddOp(op.Name, ParticleType.Null, default);
        }
    }
}
