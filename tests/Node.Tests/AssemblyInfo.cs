using Xunit;

// Tests share two cores with nothing else to gain: classes that measure allocation must not run beside others.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
