using System.Buffers.Binary;
using System.Text;
using Aerie.DataModel;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.DataModel.Expressions;

/// Compiles and evaluates in one step, and shows the outcome as an ordinary object: packed bytes for lists and maps.
internal static class Evaluated
{
    public const string Unknown = "(unknown)";

    public static object? Value(object? expression, TestRecord record) => Value(Exp.Pack(expression), record, new ExpScratch());

    public static object? Value(byte[] packed, TestRecord record, ExpScratch scratch)
    {
        var program = new ExpProgram();
        Assert.Equal(ResultCode.Ok, ExpCompiler.Compile(packed, program));
        var code = ExpEvaluation.EvaluateValue(program, scratch, record, out var result);
        return code == ResultCode.OpNotApplicable ? Unknown : code == ResultCode.Ok ? Plain(result) : code;
    }

    public static Trilean Filter(object? expression, TestRecord record)
    {
        var program = new ExpProgram();
        Assert.Equal(ResultCode.Ok, ExpCompiler.CompileFilter(Exp.Pack(expression), program));
        return ExpEvaluation.EvaluateFilter(program, new ExpScratch(), record);
    }

    public static Trilean Metadata(object? expression, TestRecord record)
    {
        var program = new ExpProgram();
        Assert.Equal(ResultCode.Ok, ExpCompiler.CompileFilter(Exp.Pack(expression), program));
        return ExpEvaluation.EvaluateMetadata(program, new ExpScratch(), record);
    }

    public static ResultCode Compiled(object? expression) => ExpCompiler.Compile(Exp.Pack(expression), new ExpProgram());

    public static object? Plain(BinValue value) => value.Type switch
    {
        ParticleType.Null => null,
        ParticleType.Integer => BinaryPrimitives.ReadInt64BigEndian(value.Bytes),
        ParticleType.Double => BinaryPrimitives.ReadDoubleBigEndian(value.Bytes),
        ParticleType.Bool => value.Bytes[0] != 0,
        ParticleType.String => Encoding.UTF8.GetString(value.Bytes),
        _ => value.Bytes.ToArray(),
    };
}
