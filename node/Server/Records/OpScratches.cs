using Aerie.DataModel.Cdt;
using Aerie.DataModel.Expressions;
using Aerie.DataModel.Geo;
using Aerie.DataModel.Hll;

namespace Aerie.Server.Records;

/// Memory that operations of the data model use on the way and leave for the next one. One of each kind for each thread.
internal sealed class OpScratches
{
    public CdtScratch Cdt { get; } = new();

    public HllScratch Hll { get; } = new();

    public GeoScratch Geo { get; } = new();

    public ExpScratch Expressions { get; } = new();
}
