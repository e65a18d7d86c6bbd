using Aerie.Memory;

namespace Aerie.Io;

/// Everything one event loop asks of the outside world, in the shape of completions, so that epoll, io_uring and the
/// simulated world of the tests fit behind it alike. All members belong to the loop's thread, except Wake.
///
/// Buffers come from the engine's pool and have one owner at a time: a Received completion hands its buffer to the loop,
/// Send and ReceiveMoreInto hand one to the engine. Nothing is freed while an operation on it is in flight.
///
/// A dead id is no error: a peer may go at any moment, also between a completion and the loop's answer to it. Calls with
/// one do nothing, and a buffer handed in goes back to the pool.
public interface IIoEngine : IDisposable
{
    BufferPool Buffers { get; }

    IoCounters Counters { get; }

    /// Waits until something completed or the time is over (0 = look only, -1 = until something happens), and may return
    /// early with nothing. Fills `into` from the front. Receives happen here, at most one per entry of `into`, so a small
    /// span keeps buffers in cache.
    int Wait(Span<Completion> into, int timeoutMilliseconds);

    /// Accepts connections at the address from now on; each yields an Accepted completion carrying this tag. Returns the
    /// port, which is the system's choice where the address says 0.
    /// Throws IoException with one clear line (address, port, reason) when that is not possible.
    int Listen(ListenAddress address, int tag);

    void StopListening(int tag);

    /// Gives a connection to another engine: receiving stops, the id dies, nothing is lost. Only a living id, and only
    /// before the first Received and the first Send.
    IoHandOver Detach(ConnectionId connection);

    /// Takes a detached connection over; it receives from now on.
    ConnectionId Attach(IoHandOver handOver);

    /// Hands a partly filled buffer back: the next bytes are received behind its first `filled` ones, and the next
    /// Received completion reports the whole.
    void ReceiveMoreInto(ConnectionId connection, BufferId buffer, int filled);

    /// Back-pressure: a paused connection is not read, so the peer's window closes. That a peer has gone is still reported.
    void PauseReceiving(ConnectionId connection);

    void ResumeReceiving(ConnectionId connection);

    /// Sends the first `length` bytes and gives the buffer back to the pool when they are gone. Sends of one connection
    /// leave in order. False: some of it waits for the peer; a Drained completion follows when nothing waits any more.
    /// True when the connection is found broken: the Closed completion that follows tells.
    bool Send(ConnectionId connection, BufferId buffer, int length);

    /// Reads `length` bytes at the offset into the front of the buffer, which BufferPool.RentAligned gave; both numbers are
    /// multiples of the device's Alignment. Never blocks. A ReadDone completion hands the buffer back; it comes also when
    /// the read fails, and nothing frees the buffer before; nor may the device be closed. What is asked for in one turn goes
    /// out at the next Wait. Reads end in any order.
    void Read(IBlockDevice device, long offset, BufferId buffer, int length, int token);

    /// Bytes accepted by Send and not yet taken by the kernel.
    long PendingSendBytes(ConnectionId connection);

    /// The id is dead after this call, and no Closed completion follows. What waits to be sent is dropped, or sent first
    /// if asked for, within a time limit of the engine.
    void Close(ConnectionId connection, CloseMode mode);

    /// The peer's address as text, for logs.
    string PeerOf(ConnectionId connection);

    /// Lets the present Wait, or the next, return early. Any thread.
    void Wake();
}

/// A connection of one engine: slot and generation, so a late event can never reach the slot's next tenant.
public readonly record struct ConnectionId(int Slot, uint Generation)
{
    public static readonly ConnectionId None = new(-1, 0);
}

/// Host is "any" (IPv4 and IPv6), an address (and then that family alone) or a name, which stands for all its addresses.
public readonly record struct ListenAddress(string Host, int Port, int Backlog = 4096);

/// A detached connection on its way to another engine. The value means something to engines of the same kind only.
public readonly record struct IoHandOver(long Value);

public enum CloseMode : byte
{
    Now,
    AfterSending,
}

public enum CompletionKind : byte
{
    /// A new connection; Tag is the listener's.
    Accepted,

    /// Buffer holds Length bytes; the loop owns it now.
    Received,

    /// Everything that waited to be sent is gone.
    Drained,

    /// The peer went away or the socket failed (Tag is the errno, 0 for an orderly end). The id is dead, its buffers are freed.
    Closed,

    /// A read has ended: Tag is its token, Length all the bytes asked for, or the negative errno (ENODATA: the device ends
    /// before). The loop owns Buffer again.
    ReadDone,

    /// A listener could not accept (Tag is the errno: out of descriptors). The engine tries again by itself after a rest.
    AcceptFailed,
}

public readonly record struct Completion(CompletionKind Kind, ConnectionId Connection, BufferId Buffer, int Length, int Tag);

/// Written by the engine's thread, read by anyone.
public sealed class IoCounters
{
    public long Accepted;
    public long AcceptFailures;
    public long Closed;
    public long BytesReceived;
    public long BytesSent;

    /// System calls: a quiet request costs one receive, one send and its share of a wait.
    public long Receives;
    public long Sends;
    public long Waits;

    /// Adaptive rests taken before a wait.
    public long Rests;

    /// Reads of devices that were asked for, and the bytes of those that ended well.
    public long Reads;
    public long BytesRead;

    /// System calls that handed reads to the kernel, and reads that went by threads because it cannot take them.
    public long ReadSubmits;
    public long ReadsByThreads;
}

/// What an operator must mend: its message is one line that names the address and the reason.
public sealed class IoException(string message) : Exception(message);
