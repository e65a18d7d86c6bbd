namespace Aerie.Tools.Suite;

/// The configuration the node is measured with: one service thread, because the floor has one and processor time per
/// operation is compared, and nothing that runs by itself.
internal static class NodeConfig
{
    /// `modules`: where it keeps the functions of users; null: nobody calls any.
    public static string InMemory(int servicePort, long dataSize, string? modules = null) => Text(
        servicePort,
        $$"""
        storage-engine memory {
                data-size {{dataSize}}
            }
        """,
        modules is null ? "" : $"mod-lua {{\n    user-path {modules}\n}}");

    /// Past the page cache and with as little in the node's own memory as it can have, so that reads reach the device.
    public static string OnDevice(int servicePort, string file, long megabytes) => Text(
        servicePort,
        $$"""
        storage-engine device {
                file {{file}}
                filesize {{megabytes}}M
                read-page-cache false
                post-write-cache 0
            }
        """);

    private static string Text(int servicePort, string storage, string more = "") =>
        $$"""
        service {
            proto-fd-max 15000
            service-threads 1
        }
        logging {
            console {
                context any warning
            }
        }
        network {
            service {
                address 127.0.0.1
                port {{servicePort}}
            }
            fabric {
                address 127.0.0.1
                port {{servicePort + 1}}
            }
            heartbeat {
                mode mesh
                address 127.0.0.1
                port {{servicePort + 2}}
            }
        }
        namespace test {
            replication-factor 1
            default-ttl 0
            nsup-period 0
            {{storage}}
        }
        {{more}}
        """;
}
