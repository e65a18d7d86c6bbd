using Microsoft.Extensions.Logging;

namespace Aerie.Server.Statistics;

/// Ticks about once a second until it is disposed of. A tick that fails is reported and does not end the next ones.
public sealed class TickerThread : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ManualResetEventSlim _ended = new(initialState: false, spinCount: 0); // hours pass before it is set
    private readonly Ticker _ticker;
    private readonly ILogger _log;
    private readonly Thread _thread;

    public TickerThread(Ticker ticker, ILoggerFactory loggers)
    {
        _ticker = ticker;
        _log = loggers.CreateLogger("info");
        _thread = new Thread(TickUntilEnd) { IsBackground = true, Name = "aerie-ticker" };
        _thread.Start();
    }

    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        _ended.Dispose();
    }

    private void TickUntilEnd()
    {
        do
        {
            try
            {
                _ticker.Tick();
            }
            catch (Exception problem)
            {
                _log.LogError(problem, "the ticker failed");
            }
        }
        while (!_ended.Wait(Interval));
    }
}
