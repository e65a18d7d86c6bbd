using Aerie.Server.Config;

namespace Aerie.Server.Info;

/// Answers info requests; the text in front of the tab is repeated in the reply.
public interface IInfoAnswers
{
    /// Appends `request TAB answer NEWLINE` for every line of the request, or the summary when it is empty.
    void Answer(ReadOnlySpan<byte> request, PortKind port, System.Buffers.IBufferWriter<byte> reply);
}
