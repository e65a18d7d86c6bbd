using Aerie.Tools.Expressions;
using Xunit;

namespace Aerie.Node.Tests.Tools;

public sealed class ExpCommandTests
{
    [Theory]
    [InlineData("kwGTUQKhYQU=", 0, "eq(bin_int(\"a\"), 5)", "")]
    [InlineData("kgHD", 1, "eq(true)", "a node refuses it: types, numbers of arguments or names are wrong")]
    [InlineData("%%", 1, "", "not base64")]
    public void An_expression_is_shown_and_judged(string base64, int exitCode, string shown, string complaint)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        Assert.Equal(exitCode, ExpCommand.Decode(base64, output, errors));
        Assert.Equal(shown, output.ToString().TrimEnd());
        Assert.Equal(complaint, errors.ToString().TrimEnd());
    }
}
