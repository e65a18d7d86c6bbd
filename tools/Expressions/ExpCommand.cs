using System.CommandLine;
using Aerie.DataModel.Expressions;
using Aerie.Foundation;

namespace Aerie.Tools.Expressions;

/// `aerie exp decode`: shows what an expression says that a client printed, or an index holds, as base64.
public static class ExpCommand
{
    public static Command Create()
    {
        var base64 = new Argument<string>("BASE64") { Description = "the packed expression, as clients print it" };
        var decode = new Command("decode", "Show an expression as text") { base64 };
        decode.SetAction(parsed => Decode(parsed.GetValue(base64)!, Console.Out, Console.Error));
        return new Command("exp", "Look at expressions") { decode };
    }

    /// Exit code 1: no base64, or a node would refuse it.
    public static int Decode(string base64, TextWriter output, TextWriter errors)
    {
        var packed = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, packed, out var length))
        {
            errors.WriteLine("not base64");
            return 1;
        }

        output.WriteLine(ExpText.Of(packed.AsSpan(0, length)));
        if (ExpCompiler.Compile(packed.AsSpan(0, length), new ExpProgram()) == ResultCode.Ok)
        {
            return 0;
        }

        errors.WriteLine("a node refuses it: types, numbers of arguments or names are wrong");
        return 1;
    }
}
