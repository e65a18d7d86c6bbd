using Aerie.Foundation;
using Aerie.Server.Query;
using Aerie.Server.Records.Fetching;
using Microsoft.Extensions.Logging;

namespace Aerie.Server.Service;

/// What the loops tell the log. A hostile or broken peer may cause any number of these, so each kind is written at most
/// once a second, with how many were left out.
public sealed class ServiceEvents(ILogger log, IClock clock)
{
    private RateLimit _malformed;
    private RateLimit _refused;
    private RateLimit _accept;
    private RateLimit _unreadable;

    public void Malformed(string peer)
    {
        if (_malformed.Allows(clock, out var skipped))
        {
            log.LogWarning("closing {Peer}: it sent what is no message of this protocol ({Skipped} more like this)", peer, skipped);
        }
    }

    public void ConnectionRefused(int limit, string setBy)
    {
        if (_refused.Allows(clock, out var skipped))
        {
            log.LogWarning(
                "refusing connections: {Limit} are open, as many as {SetBy} allows ({Skipped} more like this)", limit, setBy, skipped);
        }
    }

    public void AcceptFailed(int errno)
    {
        if (_accept.Allows(clock, out var skipped))
        {
            log.LogWarning(
                "cannot accept connections: {Reason}; raise the limit of open files or lower proto-fd-max ({Skipped} more like this)",
                errno is 23 or 24 ? "out of file descriptors" : $"error {errno}",
                skipped);
        }
    }

    public void Unreadable(UnreadableImage image)
    {
        if (_unreadable.Allows(clock, out var skipped))
        {
            log.LogError(
                "{{{Namespace}}} {Device}: a record of {Length} bytes at {Offset} cannot be read: {Reason} ({Skipped} more like this)",
                image.Namespace,
                image.Path,
                image.Length,
                image.Offset,
                image.IsUndecodable ? "it cannot be decrypted or decompressed"
                    : image.Error == 0 ? "its checksum is wrong"
                    : $"error {-image.Error}",
                skipped);
        }
    }

    /// Not limited: there are few, and the operator must know that an update of many records stands half-way.
    public void BackgroundQueryEnded(QueryStatus query) => log.LogWarning(
        "the node stops: background query {Id} on {Namespace} {Set} ends half-way: {Succeeded} records written, {Progress:0.00} %",
        query.Id,
        query.Namespace,
        query.Set,
        query.RecordsSucceeded,
        query.Progress);

    /// Loops share it without a lock: a line too many or a miscount of skipped ones does no harm.
    private struct RateLimit
    {
        private const long IntervalNanoseconds = 1_000_000_000;

        private long _next;
        private int _skipped;

        public bool Allows(IClock clock, out int skipped)
        {
            var now = clock.MonotonicNanoseconds;
            skipped = 0;
            if (now < Volatile.Read(ref _next))
            {
                Interlocked.Increment(ref _skipped);
                return false;
            }

            Volatile.Write(ref _next, now + IntervalNanoseconds);
            skipped = Interlocked.Exchange(ref _skipped, 0);
            return true;
        }
    }
}
