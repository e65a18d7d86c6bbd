using Aerie.Foundation;

namespace Aerie.Client;

public enum FailureKind
{
    /// The node answered with a result code.
    Server,

    /// No answer within the time that the policy allows.
    Timeout,

    /// The node could not be reached, or the connection broke.
    Connection,

    /// The node answered with bytes that are not of the protocol.
    Malformed,

    /// No node is known that holds the partition.
    NoNode,
}

/// Why an operation failed. In doubt means: a write may have been applied although no answer came.
public sealed class AerieException : Exception
{
    public AerieException(ResultCode code, string? detail = null)
        : base(detail ?? $"the node answered {(byte)code} ({code})")
    {
        Kind = FailureKind.Server;
        Code = code;
    }

    public AerieException(FailureKind kind, string message, Exception? cause = null)
        : base(message, cause)
    {
        Kind = kind;
        Code = kind == FailureKind.Timeout ? ResultCode.Timeout : ResultCode.Unknown;
    }

    public FailureKind Kind { get; }

    /// The node's answer; for other kinds Timeout or Unknown.
    public ResultCode Code { get; }

    public bool InDoubt { get; internal set; }
}
