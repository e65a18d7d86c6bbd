using Xunit.v3;

namespace Aerie.TestKit;

/// Says which compatibility requirement a test proves: an id of docs/COMPATIBILITY.md. A test may carry several. The
/// report in EvidenceReport counts requirements without one and fails on an id that the document does not know.
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, AllowMultiple = true)]
public sealed class EvidenceAttribute(string id) : Attribute, ITraitAttribute
{
    public string Id { get; } = id;

    /// As a trait it also chooses tests: `-trait Evidence=REC-PUT-01`.
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Evidence", Id)];
}
