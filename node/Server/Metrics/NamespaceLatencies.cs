namespace Aerie.Server.Metrics;

/// The latency histograms of one namespace, named as `latencies:` names them.
public sealed class NamespaceLatencies(string name, int stripes, bool isOnDevice)
{
    public LatencyHistogram Read { get; } = new($"{{{name}}}-read", stripes);

    public LatencyHistogram Write { get; } = new($"{{{name}}}-write", stripes);

    public LatencyHistogram Udf { get; } = new($"{{{name}}}-udf", stripes);

    public LatencyHistogram BatchSubRead { get; } = new($"{{{name}}}-batch-sub-read", stripes);

    public LatencyHistogram BatchSubWrite { get; } = new($"{{{name}}}-batch-sub-write", stripes);

    public LatencyHistogram BatchSubUdf { get; } = new($"{{{name}}}-batch-sub-udf", stripes);

    public LatencyHistogram PiQuery { get; } = new($"{{{name}}}-pi-query", stripes);

    public LatencyHistogram SiQuery { get; } = new($"{{{name}}}-si-query", stripes);

    /// From the moment a command asked until the bytes were there.
    public LatencyHistogram DeviceRead { get; } = new($"{{{name}}}-device-read", stripes);

    public IEnumerable<LatencyHistogram> All =>
        [Read, Write, Udf, BatchSubRead, BatchSubWrite, BatchSubUdf, PiQuery, SiQuery, .. OfDevices];

    private LatencyHistogram[] OfDevices => isOnDevice ? [DeviceRead] : [];
}
