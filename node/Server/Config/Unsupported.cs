namespace Aerie.Server.Config;

/// What a configuration may ask for and this build cannot do yet. Where starting all the same would break a promise (access
/// control, TLS), it is a problem; where the node merely does without, a line in the log.
/// A part that gets built deletes its lines here.
internal static class Unsupported
{
    private static readonly string[] ListenerSections = ["service", "admin", "heartbeat", "fabric"];

    public static void Tell(Settings root, Findings findings)
    {
        foreach (Settings space in root.ChildrenOf("namespace"))
        {
            TellNamespace(space, findings);
        }

        if (root.Child("security") is { } security)
        {
            findings.Problem(security.Line,
                "security is not available in this build; remove the section and protect the port by other means");
        }

        foreach (Settings dc in root.Child("xdr")?.ChildrenOf("dc") ?? [])
        {
            findings.Problem(dc.Line, $"xdr dc {dc.Name}: shipping to other clusters is not available in this build; remove the section");
        }

        if (root.Child("network") is { } network)
        {
            TellNetwork(network, findings);
        }
    }

    private static void TellNamespace(Settings space, Findings findings)
    {
        string who = $"namespace {space.Name}";
        if (space.Flag("strong-consistency"))
        {
            findings.Problem(space.LineOf("strong-consistency"),
                $"{who}: strong-consistency is not available in this build; remove the line");
        }

        foreach (string type in new[] { "index-type", "sindex-type" })
        {
            if (space.Child(type) is { Name: not "shmem" } index)
            {
                findings.Warning(index.Line, $"{who}: {type} {index.Name} is not available in this build; the index is kept in memory");
            }
        }

        if (space.Child("storage-engine") is { Name: "memory" } memory && memory.Text("compression") != "none"
            && !memory.IsGiven("files") && !memory.IsGiven("devices"))
        {
            findings.Warning(memory.LineOf("compression"),
                $"{who}: compression without 'file' or 'device' is not available in this build; records are kept as they are");
        }

        if (space.Child("storage-engine") is { Name: "pmem" } engine)
        {
            findings.Problem(engine.Line,
                $"{who}: storage-engine pmem is not available in this build; use storage-engine device on a file, or memory");
        }
    }

    private static void TellNetwork(Settings network, Findings findings)
    {
        foreach (string name in ListenerSections)
        {
            if (network.Child(name) is { } section && section.Integer("tls-port") != 0)
            {
                findings.Problem(section.LineOf("tls-port"), $"network {name}: TLS is not available in this build; remove tls-port");
            }
        }

        if (network.Child("heartbeat") is { } heartbeat)
        {
            foreach (string seeds in new[] { "mesh-seed-address-ports", "tls-mesh-seed-address-ports" })
            {
                if (heartbeat.IsGiven(seeds))
                {
                    findings.Warning(heartbeat.LineOf(seeds),
                        "network heartbeat: clusters are not available in this build; this node stays alone");
                }
            }
        }

        foreach (string name in new[] { "heartbeat", "fabric" })
        {
            if (network.Child(name) is { Line: > 0 } section)
            {
                findings.Info(section.Line, $"network {name} is accepted; a single node does not use it");
            }
        }
    }
}
