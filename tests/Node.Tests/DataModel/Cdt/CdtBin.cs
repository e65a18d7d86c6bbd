using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Cdt;
using Aerie.DataModel.Packed;
using Aerie.Foundation;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// One bin that operations are run on, with everything in the text of PackedText. "-" is no bin, and no answer.
internal sealed class CdtBin
{
    private readonly CdtScratch _scratch = new();
    private readonly OpOutcome _outcome = new(new GrowingBytes(8 * 1024 * 1024), new GrowingBytes(8 * 1024 * 1024));

    public CdtBin(string text)
    {
        if (text != "-")
        {
            Bytes = PackedText.Pack(text);
            Type = Bytes[0] is (>= 0x80 and <= 0x8F) or 0xDE or 0xDF ? ParticleType.Map : ParticleType.List;
        }
    }

    public ParticleType Type { get; set; }

    public byte[] Bytes { get; set; } = [];

    public string Answer { get; private set; } = "-";

    public ReadOnlySpan<byte> AnswerBytes => _outcome.NewReply.Bytes;

    public bool HasChanged { get; private set; }

    public string Text => Type == ParticleType.Null ? "-" : PackedText.Show(Bytes);

    /// Whether the operation modifies is what the table says of its code.
    public ResultCode Run(string call) => Run(PackedText.Pack(call), Modifies(call));

    public ResultCode Run(byte[] call, bool modifies)
    {
        _outcome.Value.Clear();
        _outcome.Reply.Clear();
        _outcome.Value.Append([1, 2, 3]); // what earlier operations have left
        _outcome.Reply.Append([4, 5]);
        _outcome.Begin();
        var result = CdtCommand.Run(new BinValue(Type, Bytes), modifies, call, _scratch, _outcome);
        Answer = "-";
        HasChanged = false;
        if (result == ResultCode.Ok)
        {
            Answer = Show(_outcome.NewReply);
            HasChanged = _outcome.HasChanged;
            if (HasChanged)
            {
                var value = _outcome.NewValue;
                (Type, Bytes) = (value.Type, value.Bytes.ToArray());
            }
        }

        return result;
    }

    public static string Show(BinValue value) => value.Type switch
    {
        ParticleType.Null => "-",
        ParticleType.Integer => BinaryPrimitives.ReadInt64BigEndian(value.Bytes).ToString(CultureInfo.InvariantCulture),
        ParticleType.Double => BinaryPrimitives.ReadDoubleBigEndian(value.Bytes)
            .ToString("0.0###############", CultureInfo.InvariantCulture),
        ParticleType.Bool => value.Bytes[0] != 0 ? "true" : "false",
        ParticleType.String => $"\"{Encoding.UTF8.GetString(value.Bytes)}\"",
        ParticleType.GeoJson => $"g\"{Encoding.UTF8.GetString(value.Bytes[3..])}\"",
        ParticleType.List or ParticleType.Map => PackedText.Show(value.Bytes),
        _ => "x" + Convert.ToHexString(value.Bytes),
    };

    private static bool Modifies(string call)
    {
        var inner = call.StartsWith("[0xFF", StringComparison.Ordinal) ? AfterPath(call) : call[1..];
        return int.TryParse(inner[..inner.IndexOfAny([',', ']'])], CultureInfo.InvariantCulture, out var code)
            && code is (< 16 or (>= 32 and < 96));
    }

    // The operation behind [0xFF, [path], [
    private static string AfterPath(string call)
    {
        var depth = 0;
        for (var i = 1; i < call.Length; i++)
        {
            depth += call[i] is '[' or '{' ? 1 : call[i] is ']' or '}' ? -1 : 0;
            if (depth == 0 && call[i] == ']')
            {
                return call[(call.IndexOf('[', i) + 1)..];
            }
        }

        throw new FormatException(call);
    }
}
