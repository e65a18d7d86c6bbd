using System.Buffers;
using System.Text;
using Aerie.Server.Config;
using Aerie.Server.Info;
using Aerie.Server.Service;
using Aerie.TestKit;

namespace Aerie.Node.Tests.Service;

/// Nodes whose service or network section says more than the usual.
internal static class ServiceConfiguration
{
    public const int AdminPort = 3008;
    public const int TextPort = 3003;

    public static string With(string serviceLine) =>
        NodeUnderTest.Configuration().Replace("# loops", serviceLine + "\n    # loops", StringComparison.Ordinal);

    public static string WithAllPorts() => NodeUnderTest.Configuration().Replace(
        "network {", $"network {{\n admin {{\n port {AdminPort}\n }}\n info {{\n port {TextPort}\n }}\n", StringComparison.Ordinal);
}

/// Answers every request with itself, in brackets.
internal sealed class EchoInfo : IInfoAnswers
{
    public void Answer(ReadOnlySpan<byte> request, PortKind port, IBufferWriter<byte> reply) =>
        reply.Write(Encoding.ASCII.GetBytes($"[{Encoding.ASCII.GetString(request)}]\n"));
}
