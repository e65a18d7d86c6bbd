using Aerie.Client.Wire;
using Aerie.Foundation;

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
public readonly record struct Operation(OperationKind Kind, string Bin, Value Value)
{
    public bool IsWrite => Kind is not (OperationKind.Read or OperationKind.CdtRead or OperationKind.ExpressionRead
        or OperationKind.BitsRead or OperationKind.HllRead);

    /// All bins.
    public static Operation Get() => new(OperationKind.Read, string.Empty, Value.Null);

    public static Operation Get(string bin) => new(OperationKind.Read, bin, Value.Null);

    public static Operation Put(string bin, Value value) => new(OperationKind.Write, bin, value);

    public static Operation Add(string bin, Value value) => new(OperationKind.Add, bin, value);

    public static Operation Append(string bin, Value value) => new(OperationKind.Append, bin, value);

    public static Operation Prepend(string bin, Value value) => new(OperationKind.Prepend, bin, value);

    public static Operation Touch() => new(OperationKind.Touch, string.Empty, Value.Null);

    public static Operation Delete() => new(OperationKind.Delete, string.Empty, Value.Null);
}

/// One key of a batch and, after the call, what became of it.
public sealed class BatchEntry(Key key, params Operation[] operations)
{
    public Key Key { get; } = key;

    /// None: read all bins.
    public IReadOnlyList<Operation> Operations { get; } = operations;

    /// For entries with writes; null takes the defaults.
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

            return false;
        }
    }
}
