using Aerie.DataModel.Bins;
using Aerie.Foundation;

namespace Aerie.Lua;

/// One call of a function, lent by the worker that started it. Whoever started it releases it, also when it is suspended:
/// then the function is given up where it stands and nothing more is written.
public abstract class UdfRun
{
    public UdfProgress Progress { get; protected set; }

    /// Ok; UdfExecution with a text for the client; or Parameter, when the arguments are no packed list.
    public ResultCode Result { get; protected set; }

    /// Once finished: what the function returned (type Null for nil), or with UdfExecution a string such as
    /// "file:line: message". Valid until the run is released.
    public abstract BinValue Value { get; }

    /// Goes on with a suspended run, on the worker's thread.
    public abstract UdfProgress Resume();

    public abstract void Release();
}
