using System.Buffers.Binary;
using Aerie.DataModel;
using Aerie.Foundation;

namespace Aerie.Node.Tests.DataModel;

/// The bins of a record as anybody would write them down: a dictionary of byte arrays, copied at every step.
internal sealed class NaiveBins
{
    public Dictionary<string, (ParticleType Type, byte[] Value)> Bins { get; } = [];

    public ResultCode Put(string name, ParticleType type, byte[] value)
    {
        if (!IsSound(type, value))
        {
            return ResultCode.Parameter;
        }

        Bins[name] = (type, type == ParticleType.Integer ? Wide(Number(value)) : value);
        return ResultCode.Ok;
    }

    public ResultCode Add(string name, ParticleType type, byte[] value)
    {
        if (type is not (ParticleType.Integer or ParticleType.Double) || !IsSound(type, value))
        {
            return ResultCode.Parameter;
        }

        if (!Bins.TryGetValue(name, out var bin))
        {
            return Put(name, type, value);
        }

        if (bin.Type != type)
        {
            return ResultCode.IncompatibleType;
        }

        Bins[name] = (type, type == ParticleType.Integer
            ? Wide(unchecked(Number(bin.Value) + Number(value)))
            : Wide(BitConverter.DoubleToInt64Bits(Float(bin.Value) + Float(value))));
        return ResultCode.Ok;
    }

    public ResultCode Join(string name, ParticleType type, byte[] value, bool valueFirst)
    {
        if (type is not (ParticleType.String or ParticleType.Bytes or ParticleType.PythonBlob))
        {
            return ResultCode.Parameter;
        }

        if (!Bins.TryGetValue(name, out var bin))
        {
            return Put(name, type, value);
        }

        if (bin.Type != type)
        {
            return ResultCode.IncompatibleType;
        }

        Bins[name] = (type, valueFirst ? [.. value, .. bin.Value] : [.. bin.Value, .. value]);
        return ResultCode.Ok;
    }

    // The types that the sequences use.
    private static bool IsSound(ParticleType type, byte[] value) => type switch
    {
        ParticleType.Integer => value.Length is 1 or 2 or 4 or 8,
        ParticleType.Double => value.Length == 8,
        ParticleType.Bool => value is [0] or [1],
        ParticleType.String or ParticleType.Bytes or ParticleType.PythonBlob => true,
        ParticleType.List => value.Length > 0,
        _ => false,
    };

    private static long Number(byte[] value)
    {
        long number = value[0] >= 0x80 ? -1 : 0;
        foreach (var b in value)
        {
            number = (number << 8) | b;
        }

        return number;
    }

    private static double Float(byte[] value) => BitConverter.Int64BitsToDouble(Number(value));

    private static byte[] Wide(long number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }
}
