using System.Buffers.Binary;
using System.Text;
using Aerie.Client;
using Aerie.DataModel;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Packed;
using Aerie.Protocol;

namespace Aerie.Tools.Bench;

/// Requests for which the server computes with bins: in maps, with filters, several at once.
internal static class BinRequests
{
    private const int MapPutCode = 67;
    private const int MapGetByKeyCode = 97;
    private const int ReturnValue = 7;
    private const int OrderedByKey = 1;

    /// For each key of the map; a value of its own comes rarely twice to the same record.
    private const int PutVariants = 4;

    /// No adds of a run lead a bin so far.
    private const long FarAway = 1_000_000_000;

    private const int IntegerType = 2;

    /// How an integer in a bin stands in an answer, or this integer alone.
    public static byte[] IntegerIn(string bin, long? number = null)
    {
        byte[] head = [(byte)ParticleType.Integer, 0, (byte)bin.Length, .. Encoding.UTF8.GetBytes(bin)];
        var value = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(value, number ?? 0);
        return number is null ? head : [.. head, .. value];
    }

    public static IEnumerable<RequestTemplate> MapGets(this RequestBuilder build) =>
        Enumerable.Range(0, RecordShapes.MapEntries).Select(entry => build.Operate(OnMap(OpCode.CdtRead, writer =>
        {
            writer.List(3);
            writer.Integer(MapGetByKeyCode);
            writer.Integer(ReturnValue);
            writer.Text(RecordShapes.MapKey(entry));
        })));

    public static IEnumerable<RequestTemplate> MapPuts(this RequestBuilder build) =>
        from entry in Enumerable.Range(0, RecordShapes.MapEntries)
        from variant in Enumerable.Range(1, PutVariants)
        select build.Operate(OnMap(OpCode.CdtModify, writer =>
        {
            writer.List(4);
            writer.Integer(MapPutCode);
            writer.Text(RecordShapes.MapKey(entry));
            writer.Integer(RecordShapes.MapValue(entry, variant));
            writer.Integer(OrderedByKey);
        }));

    /// All bins, if five comparisons are all true, which they are.
    public static RequestTemplate FilteredRead(this RequestBuilder build) => build.Read(Packed.Of(WriteFilter));

    /// Adds to five bins and reads them. What is added in one request is taken away in another.
    public static IEnumerable<RequestTemplate> AddsAndReads(this RequestBuilder build) =>
        new long[] { 1, -1 }.Select(sign => build.Operate(
        [
            .. RecordShapes.NumberBins.Select((bin, i) => Operation.Add(bin, sign * (i + 1))),
            .. RecordShapes.NumberBins.Select(Operation.Get),
        ]));

    private static Operation OnMap(OpCode kind, Action<PackedWriter> call) => new(kind, RecordShapes.MapBin, Packed.Of(call));

    private static void WriteFilter(PackedWriter writer)
    {
        var bins = RecordShapes.NumberBins;
        writer.List(1 + bins.Count);
        writer.Integer((int)ExpCode.And);
        Compare(writer, ExpCode.Greater, bins[0], -FarAway);
        Compare(writer, ExpCode.Less, bins[1], FarAway);
        Compare(writer, ExpCode.GreaterOrEqual, bins[2], -FarAway);
        Compare(writer, ExpCode.LessOrEqual, bins[3], FarAway);
        Compare(writer, ExpCode.NotEqual, bins[4], FarAway);
    }

    private static void Compare(PackedWriter writer, ExpCode comparison, string bin, long number)
    {
        writer.List(3);
        writer.Integer((int)comparison);
        writer.List(3);
        writer.Integer((int)ExpCode.Bin);
        writer.Integer(IntegerType);
        writer.Name(bin);
        writer.Integer(number);
    }
}
