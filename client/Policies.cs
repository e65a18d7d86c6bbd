namespace Aerie.Client;

public enum GenerationPolicy
{
    None,
    ExpectEqual,
    ExpectGreater,
}

public enum ExistsAction
{
    /// Create or update.
    Update,
    UpdateOnly,
    CreateOnly,
    Replace,
    ReplaceOnly,
}

public record Policy
{
    public static readonly Policy Default = new();

    /// The whole call with its retries.
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// The longest silence of a node before the attempt is given up.
    public TimeSpan SocketTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// Further attempts after a timeout or a broken connection, on the next replica where there is one.
    public int MaxRetries { get; init; } = 2;

    /// A packed expression: a record for which it is not true is left alone (FilteredOut). Null: none.
    public byte[]? Filter { get; init; }
}

/// Writes are not repeated by themselves: the first attempt may have been applied.
public sealed record WritePolicy : Policy
{
    public static readonly new WritePolicy Default = new();

    public WritePolicy() => MaxRetries = 0;

    public ExistsAction Exists { get; init; } = ExistsAction.Update;

    public GenerationPolicy GenerationPolicy { get; init; }

    public uint Generation { get; init; }

    /// Seconds, or a constant of the protocol's Ttl.
    public uint Ttl { get; init; }

    public bool SendKey { get; init; }

    public bool DurableDelete { get; init; }

    /// Acknowledge when the master has it, without waiting for replicas.
    public bool CommitToMasterOnly { get; init; }

    /// A result for every operation of Operate, in order, not only for those that return a value.
    public bool RespondAllOperations { get; init; }
}

public sealed record BatchPolicy : Policy
{
    public static readonly new BatchPolicy Default = new();

    public bool AllowInline { get; init; } = true;

    /// Go on after the first key that fails for another reason than not being found.
    public bool RespondAllKeys { get; init; } = true;
}

public sealed record QueryPolicy : Policy
{
    public static readonly new QueryPolicy Default = new();

    public QueryPolicy()
    {
        TotalTimeout = TimeSpan.Zero; // a query takes as long as it takes
        SocketTimeout = TimeSpan.FromSeconds(30);
        MaxRetries = 5;
    }

    /// Zero: all. Split over the nodes, so a call may return fewer while more exist: call again with the same progress.
    public long MaxRecords { get; init; }

    /// Per node; zero: as fast as it goes.
    public uint RecordsPerSecond { get; init; }

    public bool IncludeBinData { get; init; } = true;
}

public sealed record ClientPolicy
{
    public static readonly ClientPolicy Default = new();

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan TendInterval { get; init; } = TimeSpan.FromSeconds(1);

    public int MaxConnectionsPerNode { get; init; } = 100;

    /// Below the node's proto-fd-idle-ms (60 s), so that a pooled connection is not one that the node has just closed.
    public TimeSpan MaxIdle { get; init; } = TimeSpan.FromSeconds(55);

    /// Talk to the seeds only and take each as holder of everything: single nodes behind one address.
    public bool SeedsOnly { get; init; }
}
