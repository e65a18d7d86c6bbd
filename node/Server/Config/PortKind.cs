namespace Aerie.Server.Config;

/// What came in through: decides which messages are allowed and how bytes are framed.
public enum PortKind
{
    Service,
    Admin,

    /// The old text port: one info command per line.
    Text,
}
