namespace Aerie.Server.Metrics;

/// What a namespace counts. A name in snake case is the statistic's key (`client_read_success`), so a counter added here
/// shows up in `namespace/<ns>` and in the metrics by itself. The client and batch-sub blocks have the same order, and
/// so have the writes of the ops-sub block and the calls of the udf-sub block: a command adds the block's start to the outcome.
public enum NamespaceCounter
{
    ClientTsvcError,
    ClientTsvcTimeout,
    ClientReadSuccess,
    ClientReadError,
    ClientReadTimeout,
    ClientReadNotFound,
    ClientReadFilteredOut,
    ClientWriteSuccess,
    ClientWriteError,
    ClientWriteTimeout,
    ClientWriteFilteredOut,
    ClientDeleteSuccess,
    ClientDeleteError,
    ClientDeleteTimeout,
    ClientDeleteNotFound,
    ClientDeleteFilteredOut,
    ClientUdfComplete,
    ClientUdfError,
    ClientUdfTimeout,
    ClientUdfFilteredOut,
    ClientLangReadSuccess,
    ClientLangWriteSuccess,
    ClientLangDeleteSuccess,
    ClientLangError,

    BatchSubTsvcError,
    BatchSubTsvcTimeout,
    BatchSubReadSuccess,
    BatchSubReadError,
    BatchSubReadTimeout,
    BatchSubReadNotFound,
    BatchSubReadFilteredOut,
    BatchSubWriteSuccess,
    BatchSubWriteError,
    BatchSubWriteTimeout,
    BatchSubWriteFilteredOut,
    BatchSubDeleteSuccess,
    BatchSubDeleteError,
    BatchSubDeleteTimeout,
    BatchSubDeleteNotFound,
    BatchSubDeleteFilteredOut,
    BatchSubUdfComplete,
    BatchSubUdfError,
    BatchSubUdfTimeout,
    BatchSubUdfFilteredOut,
    BatchSubLangReadSuccess,
    BatchSubLangWriteSuccess,
    BatchSubLangDeleteSuccess,
    BatchSubLangError,

    OpsSubTsvcError,
    OpsSubTsvcTimeout,
    OpsSubWriteSuccess,
    OpsSubWriteError,
    OpsSubWriteTimeout,
    OpsSubWriteFilteredOut,

    UdfSubTsvcError,
    UdfSubTsvcTimeout,
    UdfSubUdfComplete,
    UdfSubUdfError,
    UdfSubUdfTimeout,
    UdfSubUdfFilteredOut,
    UdfSubLangReadSuccess,
    UdfSubLangWriteSuccess,
    UdfSubLangDeleteSuccess,
    UdfSubLangError,

    ReadTouchSuccess,
    ReadTouchError,
    ReadTouchSkip,

    FailKeyBusy,
    FailGeneration,
    FailRecordTooBig,
    FailClientLostConflict,

    PiQueryShortBasicComplete,
    PiQueryShortBasicError,
    PiQueryShortBasicTimeout,
    PiQueryLongBasicComplete,
    PiQueryLongBasicError,
    PiQueryLongBasicAbort,
    PiQueryOpsBgComplete,
    PiQueryOpsBgError,
    PiQueryOpsBgAbort,
    PiQueryUdfBgComplete,
    PiQueryUdfBgError,
    PiQueryUdfBgAbort,

    ExpiredObjects,
    EvictedObjects,
    TruncatedObjects,

    /// Reads of devices for commands, whatever came of them; the bytes that came; images that could not be had.
    DeviceReads,
    DeviceReadBytes,
    DeviceReadErrors,

    /// Images of a namespace on devices that were in memory when a command looked at them.
    CacheReads,

    /// Records that came to be and that ceased to be, for whatever reason: their difference is `objects`.
    Objects,
    Tombstones,
    NonExpirableObjects,
}

/// What the node counts beside its namespaces.
public enum NodeCounter
{
    ClientConnectionsOpened,
    ClientConnectionsClosed,
    AdminConnectionsOpened,
    AdminConnectionsClosed,
    ReapedFds,
    InfoComplete,
    InfoTimeout,
    DemarshalError,
    EarlyTsvcClientError,
    BatchIndexInitiate,
    BatchIndexComplete,
    BatchIndexError,
    BatchIndexTimeout,
    BatchIndexDelay,
    DeprecatedRequests,
}
