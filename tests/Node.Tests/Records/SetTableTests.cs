using System.Text;
using Aerie.Server.Records;
using Aerie.TestKit;
using Xunit;

namespace Aerie.Node.Tests.Records;

public sealed class SetTableTests
{
    private const int Threads = 4;

    private readonly SetTable _sets = new();

    [Fact]
    public void A_name_has_one_id_for_ever()
    {
        Assert.True(_sets.TryFindOrAdd("a"u8, out var first));
        Assert.True(_sets.TryFindOrAdd("b"u8, out var second));
        Assert.True(_sets.TryFindOrAdd("a"u8, out var again));
        Assert.Same(first, again);
        Assert.Equal((1, 2, 2), (first.Id, second.Id, _sets.Count));
        Assert.Same(second, _sets[2]);
        Assert.False(_sets.TryFind("c"u8, out _));
    }

    [Theory, InlineData(0, false), InlineData(1, true), InlineData(63, true), InlineData(64, false)]
    public void Names_have_up_to_63_bytes(int length, bool isFine) =>
        Assert.Equal(isFine, _sets.TryFindOrAdd(new byte[length].AsSpan(), out _));

    [Fact, Evidence("LIMIT-SET-01")]
    public void Threads_that_add_the_same_names_agree_and_4095_sets_are_the_limit()
    {
        var names = Enumerable.Range(0, SetTable.SetsMax + 50).Select(i => Encoding.UTF8.GetBytes($"set-{i}")).ToArray();
        var ids = new int[Threads][];
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() => ids[number] = AddAll(names, number))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal(SetTable.SetsMax, _sets.Count);
        for (var i = 0; i < names.Length; i++)
        {
            // A thread may have been refused and another not; a set that is there has the same id for all who got it.
            var given = ids.Select(ofThread => ofThread[i]).Where(id => id != 0).Distinct().ToList();
            var isThere = _sets.TryFind(names[i], out var set);
            Assert.Equal(isThere ? [set.Id] : [], given);
        }

        Assert.Equal(SetTable.SetsMax, Enumerable.Range(1, SetTable.SetsMax).Select(id => _sets[id].Text).Distinct().Count());
        Assert.False(_sets.TryFindOrAdd("one more"u8, out _));
    }

    // Each thread begins elsewhere, so that all of them add and all of them find.
    private int[] AddAll(byte[][] names, int number)
    {
        var ids = new int[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            var at = (i + (number * names.Length / Threads)) % names.Length;
            ids[at] = _sets.TryFindOrAdd(names[at], out var set) ? set.Id : 0;
        }

        return ids;
    }
}
