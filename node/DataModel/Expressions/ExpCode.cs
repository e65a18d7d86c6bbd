namespace Aerie.DataModel.Expressions;

/// What an expression does. Up to Call the numbers are the wire's; those above it exist in compiled programs only.
public enum ExpCode : byte
{
    Unknown = 0,

    Equal = 1,
    NotEqual = 2,
    Greater = 3,
    GreaterOrEqual = 4,
    Less = 5,
    LessOrEqual = 6,
    Regex = 7,
    Geo = 8,
    InList = 9,

    And = 16,
    Or = 17,
    Not = 18,
    Exclusive = 19,

    Add = 20,
    Subtract = 21,
    Multiply = 22,
    Divide = 23,
    Power = 24,
    Log = 25,
    Modulo = 26,
    Absolute = 27,
    Floor = 28,
    Ceiling = 29,
    ToInteger = 30,
    ToFloat = 31,

    BitAnd = 32,
    BitOr = 33,
    BitXor = 34,
    BitNot = 35,
    ShiftLeft = 36,
    ShiftRight = 37,
    ShiftRightSigned = 38,
    BitCount = 39,
    ScanLeft = 40,
    ScanRight = 41,

    Minimum = 50,
    Maximum = 51,

    DigestModulo = 64,
    DeviceSize = 65,
    LastUpdate = 66,
    SinceUpdate = 67,
    VoidTime = 68,
    TimeToLive = 69,
    SetName = 70,
    KeyExists = 71,
    IsTombstone = 72,
    MemorySize = 73,
    RecordSize = 74,

    Key = 80,
    Bin = 81,
    BinType = 82,

    ResultRemove = 100,
    MapKeys = 101,
    MapValues = 102,

    LoopVariable = 122,
    Condition = 123,
    Variable = 124,
    Let = 125,
    Quote = 126,
    Call = 127,

    /// A constant: a scalar in the node itself, or bytes of the program.
    Literal = 128,

    /// The value of a variable of `let`, kept for the body.
    Definition = 129,

    /// Bytes of a call that are handed on as they stand.
    CallBytes = 130,

    /// A path into lists and maps: its steps, then the modification, if it is one that modifies.
    Path = 131,

    /// One step of a path, with the conditions that what it finds must meet.
    PathStep = 132,

    /// What the elements that a path leads to become.
    PathModification = 133,
}
