using System.Globalization;

namespace Aerie.Server.Config;

public enum ParameterType
{
    Boolean,
    Integer,
    Text,
    List,
    Level,
}

/// What a plain number counts, and so which suffixes it may carry.
public enum ParameterUnit
{
    Count,
    Bytes,
    Seconds,
}

/// What giving the parameter does in this build.
public enum ParameterStatus
{
    /// The node acts on it.
    Implemented,

    /// Checked and stored; the part of the node that it is for does not exist yet.
    Later,

    /// An old name: warned about once, and turned into its replacement where there is one.
    Obsolete,
}

/// One row of parameters.tsv: all that is known about one parameter.
public sealed record Parameter
{
    /// Where it stands, in the words of the schema: `namespaces.storage-engine:memory`.
    public required string Section { get; init; }

    /// Its name in the schema and in YAML; plural for lists (`addresses`).
    public required string Name { get; init; }

    /// Its name in aerospike.conf and in info commands; singular for lists, which are given line by line (`address`).
    public required string ConfName { get; init; }

    public required ParameterType Type { get; init; }

    public required ParameterUnit Unit { get; init; }

    /// In normal form; empty when there is none. A list has one element or none here.
    public required string Default { get; init; }

    public required Int128 Min { get; init; }

    public required Int128 Max { get; init; }

    public required IReadOnlyList<string> Allowed { get; init; }

    /// True when set-config may change it while the node runs.
    public required bool IsDynamic { get; init; }

    /// CE and EE as in the reference; `Aerie` for our own.
    public required string Edition { get; init; }

    /// First and last release of the reference that knew it; the last is empty for current ones.
    public required string Since { get; init; }

    public required string Until { get; init; }

    public required ParameterStatus Status { get; init; }

    /// For an obsolete one: the parameter of the same section that takes over its value.
    public required string Becomes { get; init; }

    /// What to tell who uses it: the replacement, or why it is going away.
    public required string Note { get; init; }

    /// The schema counts what follows the keyword of a section (`namespace test {`) among its parameters; aerospike.conf does not.
    public bool IsSectionWord => Name is "name" or "type";

    public bool IsCurrent => Status != ParameterStatus.Obsolete && Until.Length == 0;

    /// Brings what a user wrote into normal form: booleans true/false, numbers without suffix, levels and choices in their own
    /// spelling. False with what is wrong and what is allowed.
    public bool TryRead(IReadOnlyList<string> values, out string normal, out string problem)
    {
        normal = "";
        problem = "";
        if (values.Count == 0)
        {
            problem = $"{Findings.Quote(ConfName)} has no value; {AllowedText()}";
            return false;
        }

        if (Type is ParameterType.Text or ParameterType.List)
        {
            return TryReadText(string.Join(' ', values), out normal, out problem);
        }

        if (values.Count > 1)
        {
            problem = $"{Findings.Quote(ConfName)} takes one value, {values.Count} are given; {AllowedText()}";
            return false;
        }

        return Type switch
        {
            ParameterType.Boolean => TryReadBoolean(values[0], out normal, out problem),
            ParameterType.Integer => TryReadInteger(values[0], out normal, out problem),
            _ => TryReadChoice(values[0], out normal, out problem),
        };
    }

    public string AllowedText() => Type switch
    {
        ParameterType.Boolean => "allowed are true, false",
        ParameterType.Integer => $"allowed are {RangeText()}",
        _ when Allowed.Count > 0 => $"allowed are {string.Join(", ", Allowed)}",
        _ => "a text is expected",
    };

    private bool TryReadText(string text, out string normal, out string problem)
    {
        if (Allowed.Count > 0)
        {
            return TryReadChoice(text, out normal, out problem);
        }

        normal = text;
        problem = "";
        foreach (char c in text)
        {
            if (char.IsControl(c))
            {
                problem = $"{Findings.Quote(ConfName)} holds a control character";
                return false;
            }
        }

        return true;
    }

    private bool TryReadBoolean(string text, out string normal, out string problem)
    {
        normal = text.ToLowerInvariant() switch
        {
            "true" or "yes" => "true",
            "false" or "no" => "false",
            _ => "",
        };
        problem = normal.Length > 0 ? "" : $"{Findings.Quote(ConfName)} is {Findings.Quote(text)}; {AllowedText()}";
        return normal.Length > 0;
    }

    private bool TryReadChoice(string text, out string normal, out string problem)
    {
        normal = Allowed.FirstOrDefault(choice => string.Equals(choice, text, StringComparison.OrdinalIgnoreCase)) ?? "";
        problem = "";
        if (normal.Length > 0)
        {
            return true;
        }

        problem = $"{Findings.Quote(ConfName)} is {Findings.Quote(text)}; {AllowedText()}{NearestName.Hint(text, Allowed)}";
        return false;
    }

    /// The default counts as allowed although some lie outside the range: there 0 means "not set".
    private bool TryReadInteger(string text, out string normal, out string problem)
    {
        normal = "";
        problem = "";
        if (!Quantity.TryParse(text, Unit, out Int128 value))
        {
            problem = $"{Findings.Quote(ConfName)} is {Findings.Quote(text)}, which is not {Quantity.Describe(Unit)}; {AllowedText()}";
            return false;
        }

        normal = value.ToString(CultureInfo.InvariantCulture);
        if ((value < Min || value > Max) && normal != Default)
        {
            problem = $"{Findings.Quote(ConfName)} is {Findings.Quote(text)}, which is out of range; {AllowedText()}";
            return false;
        }

        return true;
    }

    private string RangeText()
    {
        string range = $"{Quantity.Print(Min, Unit)} to {Quantity.Print(Max, Unit)}";
        bool defaultOutside = Int128.TryParse(Default, CultureInfo.InvariantCulture, out Int128 value) && (value < Min || value > Max);
        return defaultOutside ? $"{range}, or {Default} for not set" : range;
    }
}
