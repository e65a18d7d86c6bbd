namespace Aerie.Memory;

/// The system refused memory that the node cannot run without. The message says what was asked and what limits it.
public sealed class NativeMemoryException(string message) : Exception(message);
