namespace Aerie.Client.Wire;

/// The numbers of the client protocol that this client sends or reads; a test freezes them.
public enum MessageType : byte
{
    Info = 1,
    Message = 3,
}

[Flags]
public enum Info1 : byte
{
    None = 0,
    Read = 1,
    GetAll = 1 << 1,
    ShortQuery = 1 << 2,
    Batch = 1 << 3,
    NoBinData = 1 << 5,
}

[Flags]
public enum Info2 : byte
{
    None = 0,
    Write = 1,
    Delete = 1 << 1,
    GenerationEqual = 1 << 2,
    GenerationGreater = 1 << 3,
    DurableDelete = 1 << 4,
    CreateOnly = 1 << 5,
    RespondAllOps = 1 << 7,
}

[Flags]
public enum Info3 : byte
{
    None = 0,
    Last = 1,
    CommitMaster = 1 << 1,
    PartitionDone = 1 << 2,
    UpdateOnly = 1 << 3,
    CreateOrReplace = 1 << 4,
    ReplaceOnly = 1 << 5,
}

public enum FieldType : byte
{
    Namespace = 0,
    Set = 1,
    Key = 2,
    Digest = 4,
    QueryId = 7,
    SocketTimeout = 9,
    RecordsPerSecond = 10,
    PartitionIds = 11,
    ResumeDigests = 12,
    MaxRecords = 13,
    Batch = 41,
    FilterExpression = 43,
}

public enum OperationKind : byte
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

public enum ParticleType : byte
{
    Null = 0,
    Integer = 1,
    Double = 2,
    String = 3,
    Bytes = 4,
    Bool = 17,
    HyperLogLog = 18,
    Map = 19,
    List = 20,
    GeoJson = 23,
}

/// How a key of a batch describes itself: as the one before it, or with the attributes that follow.
[Flags]
public enum BatchKeyForm : byte
{
    Repeat = 1,
    Info = 1 << 1,
    Generation = 1 << 2,
    Ttl = 1 << 3,
}

[Flags]
public enum BatchFlags : byte
{
    None = 0,
    AllowInline = 1,
    AllowInlineOnDevice = 1 << 1,
    RespondAllKeys = 1 << 2,
}

public static class WireLimits
{
    public const int ProtoVersion = 2;
    public const int ProtoHeaderLength = 8;
    public const int MessageHeaderLength = 22;
    public const int BinNameMax = 15;

    /// A length above this is not a reply but garbage: nothing the node sends in one piece comes near it.
    public const int ReplyLengthMax = 128 * 1024 * 1024;
}
