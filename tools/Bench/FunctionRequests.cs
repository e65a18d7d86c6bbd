using Aerie.Client;

namespace Aerie.Tools.Bench;

/// Calls of the function that reads two bins, computes and writes one.
internal static class FunctionRequests
{
    /// How many values of its argument there are.
    private const int Variants = 16;

    /// The bin in which a server gives back what a function returned.
    public static byte[] Success { get; } = "SUCCESS"u8.ToArray();

    public static IEnumerable<RequestTemplate> Calls(this RequestBuilder build) =>
        Enumerable.Range(1, Variants).Select(factor => build.Call(Compute(factor)));

    /// One function with the same arguments for all keys of a batch: a client then says so once.
    public static IEnumerable<RequestTemplate> CallBatches(this RequestBuilder build) =>
        from factor in Enumerable.Range(1, Variants)
        let call = Compute(factor)
        select build.Batch(build.Options.BatchSize, (_, key) => new BatchEntry(key, call));

    private static FunctionCall Compute(int factor) => new(ScriptModule.Bench.Name, "compute", Packed.Of(writer =>
    {
        writer.List(1);
        writer.Integer(factor);
    }));
}
