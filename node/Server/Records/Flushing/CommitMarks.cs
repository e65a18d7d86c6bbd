namespace Aerie.Server.Records.Flushing;

public enum CommitState : byte
{
    Safe,
    Waiting,

    /// A flush that could have made them safe has failed. They may become safe later, but nobody may be told so.
    Failed,
}

/// How far the logs of commit-to-device namespaces, and the truncations of any, must be safe before somebody is answered. One
/// position for each namespace is enough: a worker's writer goes only forward.
public sealed class CommitMarks
{
    /// In place of a writer: truncations instead of records.
    private const int Cuts = -1;

    private readonly List<Mark> _marks = [];

    public bool IsEmpty => _marks.Count == 0;

    /// The worker has just changed a record.
    public void Add(Namespace records, int writer)
    {
        var mark = new Mark(records, writer, records.Log.Position(writer), records.FlushSignal.Failures);
        for (var i = 0; i < _marks.Count; i++)
        {
            if (_marks[i].Records == records && _marks[i].Writer == writer)
            {
                _marks[i] = mark with { Failures = _marks[i].Failures };
                return;
            }
        }

        _marks.Add(mark);
    }

    /// A truncation has just been asked for, or undone.
    public void AddCuts(Namespace records) => _marks.Add(new Mark(records, Cuts, records.CutChanges, records.FlushSignal.Failures));

    public void MoveTo(CommitMarks other)
    {
        other._marks.AddRange(_marks);
        _marks.Clear();
    }

    public void Clear() => _marks.Clear();

    public CommitState Look()
    {
        var state = CommitState.Safe;
        foreach (var mark in _marks)
        {
            var failures = mark.Records.FlushSignal.Failures; // before the position: a success in between counts
            if (DurablePosition(mark) >= mark.Position)
            {
                continue;
            }

            state = failures != mark.Failures ? CommitState.Failed : state == CommitState.Safe ? CommitState.Waiting : state;
        }

        return state;
    }

    /// One round serves all who ask before it begins.
    public void AskForFlush()
    {
        foreach (var mark in _marks)
        {
            mark.Records.FlushSignal.Ask();
        }
    }

    private static long DurablePosition(in Mark mark) =>
        mark.Writer == Cuts ? mark.Records.Register!.SavedCuts : mark.Records.Log.DurablePosition(mark.Writer);

    private readonly record struct Mark(Namespace Records, int Writer, long Position, long Failures);
}
