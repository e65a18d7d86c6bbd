namespace Aerie.Tools.Suite;

/// The configuration the node is measured with: one service thread, because the floor has one and processor time per
/// operation is compared, and nothing that runs by itself.
internal static class NodeConfig
{
    public static string Text(int servicePort, long dataSize) =>
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
            storage-engine memory {
                data-size {{dataSize}}
            }
        }
        """;
}
