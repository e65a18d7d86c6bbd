namespace Aerie.Server.Config;

/// The options of one section as they are now. Readers take `Current` once per request and see either the old or the new whole,
/// never a mixture; there is nothing to lock. Only ConfigStore publishes.
public sealed class LiveOptions<T>(T initial)
    where T : class
{
    private T _current = initial;

    /// Told after the swap, with the old and the new options, on the thread that runs set-config, one change after the other.
    /// A handler must be quick and must not call set-config itself.
    public event Action<T, T>? Changed;

    /// Why other options cannot be taken, for what only their user knows; null: they can. Asked before anything changes.
    public Func<T, string?> Refuses { get; set; } = static _ => null;

    public T Current => Volatile.Read(ref _current);

    internal void Publish(T next)
    {
        T old = Current;
        Volatile.Write(ref _current, next);
        Changed?.Invoke(old, next);
    }
}
