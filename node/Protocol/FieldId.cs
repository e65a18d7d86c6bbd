namespace Aerie.Protocol;

/// Fields of a message. Numbers are the wire's; those not listed are ignored, as the reference does.
public enum FieldId : byte
{
    Namespace = 0,
    Set = 1,
    Key = 2,
    RecordVersion = 3,
    Digest = 4,
    MrtId = 5,
    MrtDeadline = 6,
    QueryId = 7,
    SocketTimeout = 9,
    RecordsPerSecond = 10,
    Partitions = 11,
    ResumeDigests = 12,
    MaxRecords = 13,
    LastUpdateTime = 14,
    BvalArray = 15,
    IndexName = 21,
    IndexRange = 22,
    IndexContext = 23,
    IndexExpression = 24,
    IndexType = 26,
    UdfModule = 30,
    UdfFunction = 31,
    UdfArguments = 32,
    UdfOp = 33,
    QueryBins = 40,
    Batch = 41,
    BatchWithSet = 42,
    Filter = 43,
}

public enum OpCode : byte
{
    Read = 1,
    Write = 2,
    CdtRead = 3,
    CdtModify = 4,
    Add = 5,
    ExpressionRead = 7,
    ExpressionModify = 8,
    Append = 9,
    Prepend = 10,
    Touch = 11,
    BitsRead = 12,
    BitsModify = 13,
    Delete = 14,
    HllRead = 15,
    HllModify = 16,
}
