using Microsoft.Extensions.Logging;

namespace Aerie.Server.Records.Housekeeping;

/// Holds one namespace against its limits, stops its writes and lets them go on, and warns an operator in time. One line
/// per change.
internal sealed class CapacityWatch(Namespace records, ILogger log)
{
    private readonly CapacityLimit[] _limits = new CapacityLimit[CapacityLimits.StopWritesLimits];
    private readonly bool[] _warned = new bool[CapacityLimits.StopWritesLimits];
    private bool _isStopped;

    public void Look(int? systemMemoryUsedPct)
    {
        var reading = CapacityReading.Of(records, systemMemoryUsedPct);
        records.Housekeeping.HwmBreached = CapacityLimits.IsEvictionDue(records.Options, reading);
        CapacityLimits.OfStopWrites(records.Options, reading, _limits);
        var reached = Array.FindIndex(_limits, static limit => limit.IsReached);
        if (reached >= 0 != _isStopped)
        {
            Switch(reached);
        }

        for (var i = 0; i < _limits.Length; i++)
        {
            Warn(_limits[i], ref _warned[i]);
        }
    }

    private void Switch(int reached)
    {
        _isStopped = reached >= 0;
        records.StopWrites = _isStopped;
        if (reached >= 0)
        {
            log.LogWarning("{{{Namespace}}} writes are stopped: {Limit}", records.Name, _limits[reached].Text);
        }
        else
        {
            log.LogInformation(
                "{{{Namespace}}} writes go on: data_used_pct {Used}, data_avail_pct {Available}",
                records.Name, records.Log.UsedPercent, records.Log.AvailablePercent);
        }
    }

    // Once on the way up; a value that swings around the mark says nothing new.
    private void Warn(in CapacityLimit limit, ref bool warned)
    {
        if (!warned && limit.IsNear && !limit.IsReached)
        {
            log.LogWarning("{{{Namespace}}} comes close to stopping writes: {Limit}", records.Name, limit.Text);
        }

        warned = limit.IsNear || (warned && !limit.IsFar);
    }
}
