using Aerie.Client.Wire;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Client;

public readonly record struct Bin(string Name, Value Value);

/// What a read returns. Bins are in the order of the reply; an operate call may return one name several times.
public sealed record Record(uint Generation, uint VoidTime, IReadOnlyList<Bin> Bins)
{
    /// The value of the first bin of that name, null value if there is none.
    public Value this[string name]
    {
        get
        {
            foreach (var bin in Bins)
            {
                if (bin.Name == name)
                {
                    return bin.Value;
                }
            }

            return Value.Null;
        }
    }
}

/// A record that a query found.
public sealed record FoundRecord(Key Key, Record Record);

/// One step of Operate, applied in order under the record's lock.
public readonly record struct Operation(OpCode Kind, string Bin, Value Value)
{
    public bool IsWrite => Kind is not (OpCode.Read or OpCode.CdtRead or OpCode.ExpressionRead
        or OpCode.BitsRead or OpCode.HllRead);

    /// All bins.
    public static Operation Get() => new(OpCode.Read, string.Empty, Value.Null);

    public static Operation Get(string bin) => new(OpCode.Read, bin, Value.Null);

    public static Operation Put(string bin, Value value) => new(OpCode.Write, bin, value);

    public static Operation Add(string bin, Value value) => new(OpCode.Add, bin, value);

    public static Operation Append(string bin, Value value) => new(OpCode.Append, bin, value);

    public static Operation Prepend(string bin, Value value) => new(OpCode.Prepend, bin, value);

    public static Operation Touch() => new(OpCode.Touch, string.Empty, Value.Null);

    public static Operation Delete() => new(OpCode.Delete, string.Empty, Value.Null);
}

/// A call of a registered function. Arguments: a packed list.
public sealed record FunctionCall(string Module, string Function, byte[] Arguments);

/// One key of a batch and, after the call, what became of it.
public sealed class BatchEntry(Key key, params Operation[] operations)
{
    public BatchEntry(Key key, FunctionCall function)
        : this(key) => Function = function;

    public Key Key { get; } = key;

    /// None: read all bins, unless a function is called.
    public IReadOnlyList<Operation> Operations { get; } = operations;

    public FunctionCall? Function { get; }

    /// For entries with writes, and its filter for all; null takes the defaults.
    public WritePolicy? Policy { get; init; }

    public ResultCode Result { get; internal set; } = ResultCode.Unknown;

    public Record? Record { get; internal set; }

    internal bool Answered { get; set; }

    internal bool HasWrite
    {
        get
        {
            foreach (var operation in Operations)
            {
                if (operation.IsWrite)
                {
                    return true;
                }
            }

            return Function is not null;
        }
    }
}
