namespace Aerie.Node.Tests.Io;

/// The far end of a connection, whatever it is made of. Nothing here waits.
public interface ITestPeer
{
    /// The other side has ended the connection and everything was read.
    bool IsEnded { get; }

    void Send(ReadOnlySpan<byte> bytes);

    /// What is there, 0 if nothing.
    int Read(Span<byte> into);

    void Close();

    /// Ends the connection with a reset.
    void Vanish();
}
