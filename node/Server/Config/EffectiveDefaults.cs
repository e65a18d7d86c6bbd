using System.Globalization;

namespace Aerie.Server.Config;

/// What the configuration needs to know about the machine; given, so that a check of a file can be repeated anywhere.
public readonly record struct MachineFacts(int Cores, long? MemoryLimitBytes);

/// The defaults that the schema hides behind "0": those that depend on the machine or are the same everywhere by custom.
/// Filled in after reading, so that get-config shows what the node really uses.
internal static class EffectiveDefaults
{
    public const int ServicePort = 3000;
    public const int InfoPort = 3003;
    public const int AdminPort = 3008;
    public const int MetricsPort = 9145;

    /// The reference refuses a memory engine without a size; files of older releases have none (they had memory-size, 4 G by
    /// default) and shall start.
    public const long DataSize = 4L << 30;

    public static void Fill(Settings root, MachineFacts machine)
    {
        Settings service = root.ChildOrNew("service", "service");
        Default(service, "service-threads", machine.Cores);
        Default(service, "batch-index-threads", machine.Cores);

        Settings network = root.ChildOrNew("network", "network");
        Default(network.ChildOrNew("network.service", "service"), "port", ServicePort);
        Default(network.Child("info"), "port", InfoPort);
        Default(network.Child("admin"), "port", AdminPort);
        Default(network.Child("metrics"), "port", MetricsPort);

        foreach (Settings space in root.ChildrenOf("namespace"))
        {
            Settings engine = EngineOrMemory(space);
            Default(engine.Name == "memory" ? engine : null, "data-size", DataSize);
        }
    }

    /// Without a storage engine a namespace is in memory, as in the reference.
    public static Settings EngineOrMemory(Settings space) =>
        space.Child("storage-engine") ?? space.Add("namespaces.storage-engine:memory", "storage-engine", "memory", 0);

    private static void Default(Settings? section, string name, long value)
    {
        if (section != null && !section.IsGiven(name))
        {
            section.Put(name, value.ToString(CultureInfo.InvariantCulture), 0);
        }
    }
}
