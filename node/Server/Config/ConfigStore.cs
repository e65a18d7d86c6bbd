using Aerie.Foundation;

namespace Aerie.Server.Config;

/// What get-config and set-config answer: `ok` or the text with code Ok, otherwise the parts of `ERROR:<code>:<message>`.
public readonly record struct ConfigAnswer(ResultCode Code, string Text)
{
    public static ConfigAnswer Error(string text) => new(ResultCode.Parameter, text);
}

/// The configuration while the node runs. One change at a time is checked on a copy of the settings and then takes the place of
/// the old as a whole: a set-config with one bad value changes nothing, and event loops never wait for anybody.
public sealed class ConfigStore
{
    /// The info protocol limits a request, but this class does not rely on it.
    private const int RequestLengthMax = 64 << 10;

    private const int SetsMax = 4095;

    private readonly Lock _writer = new();
    private readonly ParameterTable _table;
    private readonly Dictionary<string, LiveOptions<NamespaceOptions>> _namespaces;
    private Settings _settings;

    /// The report must be free of problems.
    public ConfigStore(ParameterTable table, ConfigReport report)
    {
        Invariant.Holds(report.Options != null);
        _table = table;
        _settings = report.Settings;
        Network = report.Options.Network;
        UdfPath = report.Options.UdfPath;
        UdfCacheEnabled = report.Options.UdfCacheEnabled;
        Logging = report.Options.Logging;
        Service = new LiveOptions<ServiceOptions>(report.Options.Service);
        _namespaces = report.Options.Namespaces.ToDictionary(
            options => options.Name, options => new LiveOptions<NamespaceOptions>(options), StringComparer.Ordinal);
    }

    /// What listens where, and where logs go, is fixed while the node runs.
    public NetworkOptions Network { get; }

    public LoggingOptions Logging { get; }

    /// The folder of registered modules.
    public string UdfPath { get; }

    public bool UdfCacheEnabled { get; }

    public LiveOptions<ServiceOptions> Service { get; }

    /// In no particular order; the set of namespaces never changes.
    public IReadOnlyDictionary<string, LiveOptions<NamespaceOptions>> Namespaces => _namespaces;

    /// `parameters` is what follows `get-config:`, such as `context=namespace;namespace=test`.
    public ConfigAnswer Get(string parameters)
    {
        if (!Request.TryParse(parameters, out Request request, out string problem))
        {
            return ConfigAnswer.Error(problem);
        }

        Settings settings = Volatile.Read(ref _settings);
        switch (request.Context)
        {
            case "":
                return Ok($"{ConfigText.Service(_table, settings)};{ConfigText.Network(_table, settings)}");
            case "service":
                return Ok(ConfigText.Service(_table, settings));
            case "network":
                return Ok(ConfigText.Network(_table, settings));
            case "security":
                return Ok(ConfigText.Security(_table));
            case "xdr":
                return request.Dc == null
                    ? Ok(ConfigText.Xdr(_table, settings))
                    : ConfigAnswer.Error($"unknown dc {Findings.Quote(request.Dc)}");
            case "namespace":
                return GetNamespace(settings, request);
            default:
                return UnknownContext(request.Context);
        }
    }

    /// `parameters` is what follows `set-config:`, such as `context=service;proto-fd-max=20000`.
    public ConfigAnswer Set(string parameters)
    {
        if (!Request.TryParse(parameters, out Request request, out string problem))
        {
            return ConfigAnswer.Error(problem);
        }

        if (request.Changes.Count == 0)
        {
            return ConfigAnswer.Error("no parameter is given; write 'parameter=value'");
        }

        lock (_writer)
        {
            Settings next = _settings.Copy();
            ConfigAnswer answer = Apply(next, request);
            if (answer.Code == ResultCode.Ok)
            {
                answer = Check(next);
            }

            if (answer.Code == ResultCode.Ok && request.Context == "namespace" && Refusal(next, request.Namespace!) is { } refusal)
            {
                answer = ConfigAnswer.Error(refusal);
            }

            if (answer.Code == ResultCode.Ok)
            {
                Volatile.Write(ref _settings, next);
                Publish(next, request);
            }

            return answer;
        }
    }

    private ConfigAnswer GetNamespace(Settings settings, Request request)
    {
        if (FindNamespace(settings, request, out ConfigAnswer error) is not { } space)
        {
            return error;
        }

        return request.Set == null
            ? Ok(ConfigText.Namespace(_table, space))
            : Ok(ConfigText.Flat(_table, "namespaces.sets", space.Child("set", request.Set)));
    }

    private ConfigAnswer Apply(Settings next, Request request)
    {
        switch (request.Context)
        {
            case "service":
                return ApplyTo(next.Child("service")!, request);
            case "network":
                return ApplyTo(next.Child("network")!, request);
            case "xdr":
                return request.Dc == null
                    ? ApplyTo(next.ChildOrNew("xdr", "xdr"), request)
                    : ConfigAnswer.Error($"unknown dc {Findings.Quote(request.Dc)}");
            case "security":
                return new ConfigAnswer(ResultCode.SecurityNotEnabled, "security not enabled");
            case "namespace":
                return FindTarget(next, request, out ConfigAnswer error) is { } target ? ApplyTo(target, request) : error;
            case "":
                return ConfigAnswer.Error("missing 'context'");
            default:
                return UnknownContext(request.Context);
        }
    }

    /// The settings were sound before, so what is wrong now came with this change.
    private static ConfigAnswer Check(Settings next)
    {
        Findings findings = new();
        ConsistencyChecks.Run(next, new MachineFacts(1, null), findings);
        return findings.HasProblems
            ? ConfigAnswer.Error(findings.InOrder().First(finding => finding.Kind == FindingKind.Problem).Text)
            : Ok("ok");
    }

    private static Settings? FindTarget(Settings next, Request request, out ConfigAnswer error)
    {
        Settings? space = FindNamespace(next, request, out error);
        if (space == null || request.Set == null)
        {
            return space;
        }

        if (!ConsistencyChecks.IsNameGood(request.Set, ConsistencyChecks.SetNameMax))
        {
            error = ConfigAnswer.Error($"bad set name {Findings.Quote(request.Set)}");
            return null;
        }

        if (space.Child("set", request.Set) is { } set)
        {
            return set;
        }

        if (space.ChildrenOf("set").Count() >= SetsMax)
        {
            error = ConfigAnswer.Error($"namespace {space.Name} has {SetsMax} sets already");
            return null;
        }

        return space.Add("namespaces.sets", "set", request.Set, 0);
    }

    private static Settings? FindNamespace(Settings settings, Request request, out ConfigAnswer error)
    {
        error = default;
        if (request.Namespace == null)
        {
            error = ConfigAnswer.Error("missing 'namespace'");
            return null;
        }

        Settings? space = settings.Child("namespace", request.Namespace);
        if (space == null)
        {
            error = ConfigAnswer.Error($"unknown namespace {Findings.Quote(request.Namespace)}");
        }

        return space;
    }

    private ConfigAnswer ApplyTo(Settings section, Request request)
    {
        foreach ((string key, string value) in request.Changes)
        {
            if (FindParameter(section, key) is not ({ } target, { } row))
            {
                return ConfigAnswer.Error(
                    $"unknown parameter {Findings.Quote(key)} in context {request.Context}{NearestName.Hint(key, [.. KeysOf(section)])}");
            }

            if (row.Status == ParameterStatus.Obsolete)
            {
                return ConfigAnswer.Error($"{Findings.Quote(key)} is obsolete: {row.Note}");
            }

            if (!row.IsDynamic)
            {
                return ConfigAnswer.Error($"{Findings.Quote(key)} is not dynamic: change it in the file and restart the node");
            }

            // What a tool reads as "null" it may write back.
            string text = "";
            bool clears = row.Type == ParameterType.Text && value is "" or "null";
            if (!clears && !row.TryRead([value], out text, out string problem))
            {
                return ConfigAnswer.Error(problem);
            }

            target.Put(row.Name, text, 0);
        }

        return Ok("ok");
    }

    /// `heartbeat.interval` names its section; inside a namespace the short name will do (`evict-used-pct`).
    private (Settings Section, Parameter Row)? FindParameter(Settings section, string key)
    {
        int dot = key.IndexOf('.');
        if (dot > 0)
        {
            return ChildFor(section, key[..dot]) is { } child && RowOf(child, key[(dot + 1)..]) is { } dotted ? (child, dotted) : null;
        }

        if (RowOf(section, key) is { } row)
        {
            return (section, row);
        }

        if (section.Path != "namespaces")
        {
            return null;
        }

        foreach (SectionRule rule in SectionRules.In("namespaces"))
        {
            if (rule.Keyword != "set" && ChildFor(section, rule.Keyword) is { } child && RowOf(child, key) is { } inner)
            {
                return (child, inner);
            }
        }

        return null;
    }

    private Parameter? RowOf(Settings section, string key) =>
        _table.ByConfName(section.Path, key) is { } row && !row.IsSectionWord ? row : null;

    /// The section of that name. One without a name or kind is made when nobody has written it yet; that is all in the copy.
    private static Settings? ChildFor(Settings section, string keyword)
    {
        if (section.Child(keyword) is { } child)
        {
            return child;
        }

        SectionRule? rule = SectionRules.ByKeyword(section.Path, keyword);
        return rule is { Naming: SectionNaming.None } ? section.Add(rule.PathOf(""), keyword, "", 0) : null;
    }

    private IEnumerable<string> KeysOf(Settings section) =>
        _table.InSection(section.Path).Where(row => row.IsDynamic && row.IsCurrent).Select(row => row.ConfName)
            .Concat(section.Children.Where(child => child.Keyword != "set").SelectMany(child =>
                _table.InSection(child.Path).Where(row => row.IsDynamic && row.IsCurrent)
                    .Select(row => section.Path == "network" ? $"{child.Keyword}.{row.ConfName}" : row.ConfName)));

    private string? Refusal(Settings next, string space) =>
        _namespaces[space].Refuses(NamespaceOptions.From(next.Child("namespace", space)!));

    private void Publish(Settings next, Request request)
    {
        if (request.Context == "service")
        {
            Service.Publish(ServiceOptions.From(next.Child("service")!));
        }
        else if (request.Context == "namespace")
        {
            _namespaces[request.Namespace!].Publish(NamespaceOptions.From(next.Child("namespace", request.Namespace)!));
        }
    }

    private static ConfigAnswer Ok(string text) => new(ResultCode.Ok, text);

    private static ConfigAnswer UnknownContext(string context) =>
        ConfigAnswer.Error($"unknown context {Findings.Quote(context)}; allowed are service, network, namespace, security, xdr");

    /// The words of a request: what selects a section, and what is to change in it.
    private sealed class Request
    {
        public string Context { get; private set; } = "";

        /// Given as `namespace=` or, by older tools, `id=`.
        public string? Namespace { get; private set; }

        public string? Set { get; private set; }

        public string? Dc { get; private set; }

        public List<(string Key, string Value)> Changes { get; } = [];

        public static bool TryParse(string text, out Request request, out string problem)
        {
            request = new Request();
            problem = text.Length > RequestLengthMax ? "request is too long" : "";
            if (problem.Length > 0)
            {
                return false;
            }

            foreach (string part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                int equals = part.IndexOf('=');
                if (equals <= 0)
                {
                    problem = $"{Findings.Quote(part)} is not 'name=value'";
                    return false;
                }

                request.Take(part[..equals], part[(equals + 1)..]);
            }

            return true;
        }

        private void Take(string key, string value)
        {
            switch (key)
            {
                case "context":
                    Context = value;
                    break;
                case "namespace" or "id":
                    Namespace = value;
                    break;
                case "set":
                    Set = value;
                    break;
                case "dc":
                    Dc = value;
                    break;
                default:
                    Changes.Add((key, value));
                    break;
            }
        }
    }
}
