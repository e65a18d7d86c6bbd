using Aerie.Client;

namespace Aerie.Tools.Bench;

/// Requests that compute nothing.
internal static class PlainRequests
{
    /// Enough values that one rarely comes twice to the same record.
    private const int Variants = 16;

    public static RequestTemplate Insert(this RequestBuilder build) =>
        build.Replace(RecordShapes.BinsOf(build.Options.Shape, build.Options.ValueSize));

    public static RequestTemplate Update(this RequestBuilder build) =>
        build.Put(RecordShapes.BinsOf(RecordShape.Text, build.Options.ValueSize));

    public static RequestTemplate ReadBatch(this RequestBuilder build) =>
        build.Batch(build.Options.BatchSize, (_, key) => new BatchEntry(key));

    public static IEnumerable<RequestTemplate> NumberPuts(this RequestBuilder build) =>
        Enumerable.Range(0, Variants).Select(i => build.Put(new Bin(RecordShapes.NumberBin, i)));

    public static IEnumerable<RequestTemplate> NumberPutBatches(this RequestBuilder build) =>
        Enumerable.Range(0, Variants).Select(i =>
            build.Batch(build.Options.BatchSize, (_, key) => new BatchEntry(key, Operation.Put(RecordShapes.NumberBin, i))));
}
