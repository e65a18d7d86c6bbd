namespace Aerie.Index;

/// Names a record's entry. Valid until the record is removed; whoever drops the partition's lock looks the record up again.
public readonly record struct EntryHandle(uint Value)
{
    public static readonly EntryHandle None;

    public bool IsNone => Value == 0;
}
