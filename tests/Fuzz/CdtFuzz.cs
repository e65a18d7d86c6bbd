using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.Fuzz;

/// A bin, then calls on it. Input: type of the bin (bit 0: map, bit 1: stored as it is, without the check of a put), length of its bytes
/// (two bytes), the bytes, then for each call its length (one byte) and its bytes. Whatever comes, an operation answers with a code; and
/// a bin that was sound stays sound, with everything in order that is called so.
public static class CdtFuzz
{
    private const int CallsMax = 16;
    private const int HeaderLength = 3;

    public static void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < HeaderLength)
        {
            return;
        }

        var scratch = new CdtScratch();
        var put = new GrowingBytes(1024 * 1024);
        var type = (input[0] & 1) != 0 ? ParticleType.Map : ParticleType.List;
        var length = Math.Min((input[1] << 8) | input[2], input.Length - HeaderLength);
        var bytes = input.Slice(HeaderLength, length);
        var isSound = CdtWire.Read(bytes, type, scratch, put, out var asGiven) == ResultCode.Ok;
        if ((input[0] & 2) == 0 && !isSound)
        {
            type = ParticleType.Null;
            bytes = default;
            isSound = true;
        }
        else if ((input[0] & 2) == 0 && !asGiven)
        {
            bytes = put.Read(0, put.Length);
        }
        else if (!asGiven)
        {
            isSound = false;
        }

        RunCalls(input[(HeaderLength + length)..], type, bytes.ToArray(), isSound, scratch);
    }

    private static void RunCalls(ReadOnlySpan<byte> calls, ParticleType type, byte[] bytes, bool isSound, CdtScratch scratch)
    {
        var outcome = new OpOutcome(new GrowingBytes(1024 * 1024), new GrowingBytes(1024 * 1024));
        for (var i = 0; i < CallsMax && calls.Length > 1; i++)
        {
            var call = calls.Slice(1, Math.Min(calls[0], calls.Length - 1));
            calls = calls[(1 + call.Length)..];
            for (var modifies = 0; modifies < 2; modifies++)
            {
                outcome.Value.Clear();
                outcome.Reply.Clear();
                outcome.Begin();
                var result = CdtCommand.Run(new BinValue(type, bytes), modifies == 1, call, scratch, outcome);
                if (result == ResultCode.Ok && outcome.HasChanged)
                {
                    (type, bytes) = (outcome.ValueType, outcome.NewValue.Bytes.ToArray());
                    Check(type, bytes, isSound, scratch);
                }
            }
        }
    }

    // As a client would see it, it must be what a client may put, and in order.
    private static void Check(ParticleType type, byte[] bytes, bool isSound, CdtScratch scratch)
    {
        var wire = new GrowingBytes(2 * 1024 * 1024);
        CdtWire.Append(wire, bytes);
        if (!isSound)
        {
            return;
        }

        var clean = new GrowingBytes(2 * 1024 * 1024);
        var seen = wire.Read(0, wire.Length);
        if (CdtWire.Read(seen, type, scratch, clean, out var asGiven) != ResultCode.Ok)
        {
            throw new InvalidOperationException("a sound bin has become one that may not be put");
        }

        if (!asGiven)
        {
            wire.Clear();
            CdtWire.Append(wire, clean.Read(0, clean.Length));
            if (!wire.Read(0, wire.Length).SequenceEqual(seen))
            {
                throw new InvalidOperationException("a sound bin has lost its order");
            }
        }
    }
}
