namespace Aerie.DataModel.Expressions;

/// How the arguments of a code are written on the wire and what types they must have.
public enum ExpShape : byte
{
    /// Each argument has its own type, given by the rule.
    Fixed,

    /// One or more arguments, all of the rule's type.
    Many,

    /// Arguments that are all integers or all floats; so is the result.
    Numbers,

    /// Two arguments of one type that has an order.
    Comparison,

    /// A form of its own: names, flags or types among the arguments.
    Special,
}

/// One row per code of the wire: its name in texts, its arguments and its result. Compiler, printer and tests read it from here.
public sealed record ExpRule(ExpCode Code, string Name, ExpShape Shape, ExpType Result, ExpType[] Arguments, int ArgumentsMax)
{
    private static readonly ExpType[] None = [];
    private static readonly ExpRule[] Rules = Table();

    /// Rows by the wire's number; null for numbers that mean nothing.
    private static readonly ExpRule?[] ByCode = Index();

    public static ReadOnlySpan<ExpRule> All => Rules;

    public static ExpRule? Find(long wire)
    {
        var index = ByCode;
        return (ulong)wire < (ulong)index.Length ? index[wire] : null;
    }

    private static ExpRule?[] Index()
    {
        var index = new ExpRule?[(int)ExpCode.Call + 1];
        foreach (var rule in Rules)
        {
            index[(int)rule.Code] = rule;
        }

        return index;
    }

    private static ExpRule[] Table() =>
    [
        Special(ExpCode.Unknown, "unknown", ExpType.Any),
        Comparison(ExpCode.Equal, "eq"),
        Comparison(ExpCode.NotEqual, "ne"),
        Comparison(ExpCode.Greater, "gt"),
        Comparison(ExpCode.GreaterOrEqual, "ge"),
        Comparison(ExpCode.Less, "lt"),
        Comparison(ExpCode.LessOrEqual, "le"),
        Special(ExpCode.Regex, "regex", ExpType.Bool),
        Fixed(ExpCode.Geo, "geo_compare", ExpType.Bool, ExpType.Geo, ExpType.Geo),
        Fixed(ExpCode.InList, "in_list", ExpType.Bool, ExpType.Any, ExpType.List),
        Many(ExpCode.And, "and", ExpType.Bool),
        Many(ExpCode.Or, "or", ExpType.Bool),
        Fixed(ExpCode.Not, "not", ExpType.Bool, ExpType.Bool),
        Many(ExpCode.Exclusive, "exclusive", ExpType.Bool),
        Numbers(ExpCode.Add, "add"),
        Numbers(ExpCode.Subtract, "sub"),
        Numbers(ExpCode.Multiply, "mul"),
        Numbers(ExpCode.Divide, "div"),
        Fixed(ExpCode.Power, "pow", ExpType.Float, ExpType.Float, ExpType.Float),
        Fixed(ExpCode.Log, "log", ExpType.Float, ExpType.Float, ExpType.Float),
        Fixed(ExpCode.Modulo, "mod", ExpType.Integer, ExpType.Integer, ExpType.Integer),
        Numbers(ExpCode.Absolute, "abs", argumentsMax: 1),
        Fixed(ExpCode.Floor, "floor", ExpType.Float, ExpType.Float),
        Fixed(ExpCode.Ceiling, "ceil", ExpType.Float, ExpType.Float),
        Fixed(ExpCode.ToInteger, "to_int", ExpType.Integer, ExpType.Float),
        Fixed(ExpCode.ToFloat, "to_float", ExpType.Float, ExpType.Integer),
        Many(ExpCode.BitAnd, "int_and", ExpType.Integer),
        Many(ExpCode.BitOr, "int_or", ExpType.Integer),
        Many(ExpCode.BitXor, "int_xor", ExpType.Integer),
        Fixed(ExpCode.BitNot, "int_not", ExpType.Integer, ExpType.Integer),
        Fixed(ExpCode.ShiftLeft, "int_lshift", ExpType.Integer, ExpType.Integer, ExpType.Integer),
        Fixed(ExpCode.ShiftRight, "int_rshift", ExpType.Integer, ExpType.Integer, ExpType.Integer),
        Fixed(ExpCode.ShiftRightSigned, "int_arshift", ExpType.Integer, ExpType.Integer, ExpType.Integer),
        Fixed(ExpCode.BitCount, "int_count", ExpType.Integer, ExpType.Integer),
        Fixed(ExpCode.ScanLeft, "int_lscan", ExpType.Integer, ExpType.Integer, ExpType.Bool),
        Fixed(ExpCode.ScanRight, "int_rscan", ExpType.Integer, ExpType.Integer, ExpType.Bool),
        Numbers(ExpCode.Minimum, "min"),
        Numbers(ExpCode.Maximum, "max"),
        Special(ExpCode.DigestModulo, "digest_modulo", ExpType.Integer),
        Fixed(ExpCode.DeviceSize, "device_size", ExpType.Integer),
        Fixed(ExpCode.LastUpdate, "last_update", ExpType.Integer),
        Fixed(ExpCode.SinceUpdate, "since_update", ExpType.Integer),
        Fixed(ExpCode.VoidTime, "void_time", ExpType.Integer),
        Fixed(ExpCode.TimeToLive, "ttl", ExpType.Integer),
        Fixed(ExpCode.SetName, "set_name", ExpType.String),
        Fixed(ExpCode.KeyExists, "key_exists", ExpType.Bool),
        Fixed(ExpCode.IsTombstone, "is_tombstone", ExpType.Bool),
        Fixed(ExpCode.MemorySize, "memory_size", ExpType.Integer),
        Fixed(ExpCode.RecordSize, "record_size", ExpType.Integer),
        Special(ExpCode.Key, "key", ExpType.Any),
        Special(ExpCode.Bin, "bin", ExpType.Any),
        Special(ExpCode.BinType, "bin_type", ExpType.Integer),
        Special(ExpCode.ResultRemove, "result_remove", ExpType.Remove),
        Fixed(ExpCode.MapKeys, "map_keys", ExpType.List, ExpType.Map),
        Fixed(ExpCode.MapValues, "map_values", ExpType.List, ExpType.Map),
        Special(ExpCode.LoopVariable, "loop_var", ExpType.Any),
        Special(ExpCode.Condition, "cond", ExpType.Any),
        Special(ExpCode.Variable, "var", ExpType.Any),
        Special(ExpCode.Let, "let", ExpType.Any),
        Special(ExpCode.Quote, "quote", ExpType.Any),
        Special(ExpCode.Call, "call", ExpType.Any),
    ];

    private static ExpRule Fixed(ExpCode code, string name, ExpType result, params ExpType[] arguments) =>
        new(code, name, ExpShape.Fixed, result, arguments, arguments.Length);

    private static ExpRule Many(ExpCode code, string name, ExpType type) =>
        new(code, name, ExpShape.Many, type, [type], int.MaxValue);

    private static ExpRule Numbers(ExpCode code, string name, int argumentsMax = int.MaxValue) =>
        new(code, name, ExpShape.Numbers, ExpType.Any, None, argumentsMax);

    private static ExpRule Comparison(ExpCode code, string name) => new(code, name, ExpShape.Comparison, ExpType.Bool, None, 2);

    private static ExpRule Special(ExpCode code, string name, ExpType result) => new(code, name, ExpShape.Special, result, None, 0);
}
