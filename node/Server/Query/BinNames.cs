using System.Text;
using Aerie.DataModel.Bins;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Server.Query;

/// The bins that a query asks for, in its order, each once: the reply of a record can then never be longer than the record
/// itself by more than its framing. None: all bins.
internal sealed class BinNames
{
    public static readonly BinNames All = new([], 0);

    private readonly byte[] _bytes;

    private BinNames(byte[] bytes, int count)
    {
        _bytes = bytes;
        Count = count;
    }

    public int Count { get; }

    public bool AreAll => Count == 0;

    public NameWalk GetEnumerator() => new(_bytes);

    /// From the read operations, or from the field that clients used before.
    public static ResultCode TryRead(in Request request, out BinNames names)
    {
        names = All;
        if ((request.Header.Info1 & Info1.NoBinData) != 0)
        {
            return ResultCode.Ok;
        }

        var collected = new Collector();
        var result = request.Header.OpCount > 0 ? collected.AddOps(request.Ops)
            : request.Fields.TryGet(FieldId.QueryBins, out var field) ? collected.AddField(field)
            : ResultCode.Ok;
        if (result == ResultCode.Ok && collected.Count > 0)
        {
            names = new BinNames(collected.ToArray(), collected.Count);
        }

        return result;
    }

    /// Walks the names: a length byte in front of each.
    public ref struct NameWalk(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _left = bytes;

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (_left.IsEmpty)
            {
                return false;
            }

            Current = _left.Slice(1, _left[0]);
            _left = _left[(1 + Current.Length)..];
            return true;
        }
    }

    private sealed class Collector
    {
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
        private readonly List<byte> _bytes = [];

        public int Count => _seen.Count;

        public byte[] ToArray() => [.. _bytes];

        public ResultCode AddOps(Ops ops)
        {
            while (ops.TryNext(out var op))
            {
                if (op.Code != (byte)OpCode.Read)
                {
                    return ResultCode.Parameter;
                }

                if (!TryAdd(op.Name))
                {
                    return ResultCode.BinName;
                }
            }

            return ResultCode.Ok;
        }

        public ResultCode AddField(ReadOnlySpan<byte> field)
        {
            var left = field.IsEmpty ? field : field[1..];
            for (var count = field.IsEmpty ? 0 : field[0]; count > 0; count--)
            {
                if (left.IsEmpty || left[0] > left.Length - 1)
                {
                    return ResultCode.Parameter;
                }

                if (!TryAdd(left.Slice(1, left[0])))
                {
                    return ResultCode.BinName;
                }

                left = left[(1 + left[0])..];
            }

            return ResultCode.Ok;
        }

        private bool TryAdd(ReadOnlySpan<byte> name)
        {
            if (name.Length is 0 or > RecordDraft.NameLengthMax)
            {
                return false;
            }

            if (_seen.Add(Encoding.Latin1.GetString(name)))
            {
                _bytes.Add((byte)name.Length);
                _bytes.AddRange(name);
            }

            return true;
        }
    }
}
