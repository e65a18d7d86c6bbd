using System.Globalization;

namespace Aerie.Server.Config;

/// Gives old names their effect under the new ones, so that a file written for any earlier release starts. A value that the file
/// gives under the new name always wins. The warnings that name the replacements come from the table.
internal sealed class OldParameters
{
    private const long WriteBlockSizeDefault = 1 << 20;

    private readonly ParameterTable _table;

    private OldParameters(ParameterTable table)
    {
        _table = table;
    }

    public static void Apply(Settings root, ParameterTable table)
    {
        OldParameters old = new(table);
        Settings? service = root.Child("service");
        foreach (Settings space in root.ChildrenOf("namespace"))
        {
            old.MoveDataIntoMemory(space);
            old.ApplyMemorySizes(space);
            old.ApplyDeviceSizes(space);
            old.ApplySwitches(space);
            if (service != null)
            {
                old.ApplyFromService(service, space);
            }
        }

        RemoveDisabledSecurity(root);
        old.ApplyRenames(root);
    }

    /// The plain renames, as the table has them.
    private void ApplyRenames(Settings section)
    {
        foreach (string name in section.GivenNames.ToArray())
        {
            if (_table.ByName(section.Path, name) is { Becomes.Length: > 0 } row)
            {
                foreach (string text in section.List(name))
                {
                    Give(section, row.Becomes, text, section.LineOf(name));
                }
            }
        }

        foreach (Settings child in section.Children)
        {
            ApplyRenames(child);
        }
    }

    /// `storage-engine device { data-in-memory true }` is what `storage-engine memory` with a file is today.
    private void MoveDataIntoMemory(Settings space)
    {
        if (Engine(space, "device") is not { } device || !device.Flag("data-in-memory"))
        {
            return;
        }

        Settings memory = new(_table, "namespaces.storage-engine:memory", "storage-engine", "memory", device.Line);
        foreach (string name in device.GivenNames)
        {
            if (_table.ByName(memory.Path, name) is not { IsCurrent: true } row)
            {
                continue;
            }

            foreach (string text in device.List(name))
            {
                if (row.Type == ParameterType.List)
                {
                    memory.Append(name, text, device.LineOf(name));
                }
                else
                {
                    memory.Put(name, text, device.LineOf(name));
                }
            }
        }

        CopyOldBlockSizes(device, space, memory);
        space.Replace(device, memory);
    }

    private void CopyOldBlockSizes(Settings device, Settings space, Settings memory)
    {
        ApplyWriteBlockSize(device, space, memory);
        foreach ((string old, string now) in new[] { ("min-avail-pct", "stop-writes-avail-pct"), ("max-used-pct", "stop-writes-used-pct") })
        {
            if (device.IsGiven(old))
            {
                Give(memory, now, device.Text(old), device.LineOf(old));
            }
        }
    }

    /// Beside an engine that keeps its data elsewhere, memory was what the index could have.
    private void ApplyMemorySizes(Settings space)
    {
        Settings? elsewhere = Engine(space, "device") ?? Engine(space, "pmem");
        if (space.IsGiven("memory-size") && space.Integer("memory-size") > 0)
        {
            (Settings target, string name) = elsewhere == null ? (EngineOrNew(space), "data-size") : (space, "indexes-memory-budget");
            Give(target, name, space.Text("memory-size"), space.LineOf("memory-size"));
        }

        if (space.IsGiven("high-water-memory-pct"))
        {
            Give(space, "evict-indexes-memory-pct", space.Text("high-water-memory-pct"), space.LineOf("high-water-memory-pct"));
            if (elsewhere == null)
            {
                Give(EngineOrNew(space), "evict-used-pct", space.Text("high-water-memory-pct"), space.LineOf("high-water-memory-pct"));
            }
        }

        if (space.IsGiven("high-water-disk-pct") && elsewhere != null)
        {
            Give(elsewhere, "evict-used-pct", space.Text("high-water-disk-pct"), space.LineOf("high-water-disk-pct"));
        }

        if (space.IsGiven("evict-sys-memory-pct") && space.Child("storage-engine") is { } engine)
        {
            Give(engine, "evict-used-pct", space.Text("evict-sys-memory-pct"), space.LineOf("evict-sys-memory-pct"));
        }
    }

    private void ApplyDeviceSizes(Settings space)
    {
        if (Engine(space, "device") is not { } device)
        {
            return;
        }

        ApplyWriteBlockSize(device, space, device);
        if (device.IsGiven("post-write-queue"))
        {
            long block = device.IsGiven("write-block-size") ? device.Integer("write-block-size") : WriteBlockSizeDefault;
            string bytes = (device.Integer("post-write-queue") * block).ToString(CultureInfo.InvariantCulture);
            Give(device, "post-write-cache", bytes, device.LineOf("post-write-queue"));
        }
    }

    /// A record had to fit into a write block; it still does after the move.
    private void ApplyWriteBlockSize(Settings device, Settings space, Settings target)
    {
        if (device.IsGiven("write-block-size"))
        {
            Give(target, "flush-size", device.Text("write-block-size"), device.LineOf("write-block-size"));
            Give(space, "max-record-size", device.Text("write-block-size"), device.LineOf("write-block-size"));
        }
    }

    private void ApplySwitches(Settings space)
    {
        if (space.Flag("disable-nsup"))
        {
            Give(space, "nsup-period", "0", space.LineOf("disable-nsup"));
        }

        foreach ((string old, string now) in new[]
        {
            ("allow-nonxdr-writes", "reject-non-xdr-writes"),
            ("allow-xdr-writes", "reject-xdr-writes"),
        })
        {
            if (space.IsGiven(old))
            {
                Give(space, now, space.Flag(old) ? "false" : "true", space.LineOf(old));
            }
        }
    }

    /// What used to hold for all namespaces at once.
    private void ApplyFromService(Settings service, Settings space)
    {
        foreach ((string old, string now) in new[]
        {
            ("nsup-period", "nsup-period"),
            ("object-size-hist-period", "nsup-hist-period"),
            ("transaction-pending-limit", "transaction-pending-limit"),
        })
        {
            if (service.IsGiven(old))
            {
                Give(space, now, service.Text(old), service.LineOf(old));
            }
        }

        if (service.Flag("respond-client-on-master-completion"))
        {
            Give(space, "write-commit-level-override", "master", service.LineOf("respond-client-on-master-completion"));
        }

        if (service.Flag("transaction-repeatable-read"))
        {
            Give(space, "read-consistency-level-override", "all", service.LineOf("transaction-repeatable-read"));
        }
    }

    /// Before 5.7 the section could be there and security still off.
    private static void RemoveDisabledSecurity(Settings root)
    {
        if (root.Child("security") is { } security && security.IsGiven("enable-security") && !security.Flag("enable-security"))
        {
            root.Replace(security, null);
        }
    }

    /// An old value may lie outside the range of the new parameter: the nearest allowed one is what comes closest to the wish.
    private void Give(Settings section, string name, string text, int line)
    {
        Parameter row = _table.ByName(section.Path, name)!;
        if (row.Type == ParameterType.List)
        {
            section.Append(name, text, line);
            return;
        }

        if (section.IsGiven(name))
        {
            return;
        }

        if (row.Type == ParameterType.Integer && text != row.Default)
        {
            Int128 value = Int128.Clamp(Int128.Parse(text, CultureInfo.InvariantCulture), row.Min, row.Max);
            text = value.ToString(CultureInfo.InvariantCulture);
        }

        section.Put(name, text, line);
    }

    private static Settings? Engine(Settings space, string kind) => space.Child("storage-engine", kind);

    private static Settings EngineOrNew(Settings space) => EffectiveDefaults.EngineOrMemory(space);
}
