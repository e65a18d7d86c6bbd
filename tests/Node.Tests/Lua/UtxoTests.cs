using System.Reflection;
using Aerie.TestKit;
using Xunit;
using static Aerie.TestKit.UdfValues;

namespace Aerie.Node.Tests.Lua;

/// A module of the kind that a large user runs, on records as it keeps them.
public sealed class UtxoTests : IDisposable
{
    private static readonly byte[] Spending = [.. Enumerable.Range(1, 36).Select(i => (byte)i)];

    private readonly ScriptHost _host;
    private readonly UdfTestRecord _record = new UdfTestRecord()
        .With("utxos", List(Hash(0), Hash(1), null, Hash(3))).With("spentUtxos", 0).With("recordUtxos", 2);

    public UtxoTests()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("utxo.lua")!;
        using var reader = new StreamReader(stream);
        _host = new ScriptHost(reader.ReadToEnd());
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Several_outputs_are_spent_in_one_call()
    {
        var result = Call("spendMulti", List(SpendOf(0), SpendOf(1), SpendOf(2), SpendOf(9), SpendOf(3, Hash(4))), false, false, 100, 10);
        Assert.Equal("ERROR", result["status"]);
        var errors = (Dictionary<object, object?>)result["errors"]!;
        Assert.Equal([2L, 3L, 9L], errors.Keys.Order());
        Assert.Equal(
            ["UTXO_NOT_FOUND", "UTXO_HASH_MISMATCH", "UTXO_NOT_FOUND"],
            errors.OrderBy(e => e.Key).Select(e => ((Dictionary<object, object?>)e.Value!)["errorCode"]));
        Assert.Equal(List(Spent(0), Spent(1), null, Hash(3)), _record["utxos"]);
        Assert.Equal(2L, _record["spentUtxos"]);
    }

    [Fact]
    public void An_output_is_spent_once_but_the_same_spend_is_accepted_again()
    {
        Assert.Equal("OK", Call("spend", 1, Hash(1), Spending, false, false, 100, 0)["status"]);
        Assert.Equal("OK", Call("spend", 1, Hash(1), Spending, false, false, 100, 0)["status"]);
        Assert.Equal(1L, _record["spentUtxos"]);
        var other = Spending.Reverse().ToArray();
        var refused = Call("spend", 1, Hash(1), other, false, false, 100, 0);
        Assert.Equal("SPENT", refused["errorCode"]);
        Assert.Equal(Convert.ToHexStringLower([.. Spending[..32].Reverse(), .. Spending[32..].Reverse()]), refused["spendingData"]);
    }

    [Fact]
    public void An_output_is_unspent_again()
    {
        Call("spend", 1, Hash(1), Spending, false, false, 100, 0);
        Assert.Equal("OK", Call("unspend", 1, Hash(1), 100, 0)["status"]);
        Assert.Equal(List(Hash(0), Hash(1), null, Hash(3)), _record["utxos"]);
        Assert.Equal(0L, _record["spentUtxos"]);
    }

    [Fact]
    public void A_frozen_output_is_not_spent()
    {
        Assert.Equal("OK", Call("freeze", 0, Hash(0))["status"]);
        Assert.Equal("FROZEN", Call("spend", 0, Hash(0), Spending, false, false, 100, 0)["errorCode"]);
        Assert.Equal("ALREADY_FROZEN", Call("freeze", 0, Hash(0))["errorCode"]);
        Assert.Equal("OK", Call("unfreeze", 0, Hash(0))["status"]);
        Assert.Equal("UTXO_NOT_FROZEN", Call("unfreeze", 0, Hash(0))["errorCode"]);
        Assert.Equal("OK", Call("spend", 0, Hash(0), Spending, false, false, 100, 0)["status"]);
    }

    [Fact]
    public void A_mined_and_spent_transaction_is_marked_for_deletion()
    {
        Call("spendMulti", List(SpendOf(0), SpendOf(1)), false, false, 100, 10);
        var mined = Call("setMined", 7, 1000, 3, 100, 10, false);
        Assert.Equal(("OK", "DAHSET"), (mined["status"], mined["signal"]));
        Assert.Equal(List(7L), mined["blockIDs"]);
        Assert.Equal(List(110L, List(1000L)), List(_record["deleteAtHeight"], _record["blockHeights"]));
        Assert.Equal("DAHUNSET", Call("unspend", 0, Hash(0), 100, 10)["signal"]);
        Assert.Null(_record["deleteAtHeight"]);
        Assert.Equal(List(), Call("setMined", 7, 1000, 3, 100, 10, true)["blockIDs"]);
    }

    [Theory, InlineData("locked", "LOCKED"), InlineData("conflicting", "CONFLICTING"), InlineData("creating", "CREATING")]
    public void Marks_of_a_record_refuse_spends(string bin, string code)
    {
        _record.With(bin, true);
        Assert.Equal(code, Call("spendMulti", List(SpendOf(0)), false, false, 100, 10)["errorCode"]);
        Assert.Equal(0, _record.Updates);
    }

    [Fact]
    public void A_missing_record_answers_a_map()
    {
        _record.Exists = false;
        Assert.Equal("TX_NOT_FOUND", Call("spendMulti", List(), false, false, 1, 1)["errorCode"]);
    }

    [Fact]
    public void A_call_of_what_is_not_defined_is_an_error_of_the_script() =>
        Assert.Matches(
            @"^demo\.lua:\d+: attempt to call a nil value \(global 'explainTheError'\)$",
            _host.Error("reassign", _record, 0, Hash(9), Hash(8)));

    [Fact]
    public void A_list_that_was_changed_in_place_is_not_written_unless_it_is_assigned()
    {
        Assert.Equal("OK", Call("reassign", 0, Hash(0), Hash(8))["status"]);
        Assert.Equal("OK", Call("reassign", 0, Hash(8), Hash(9))["status"]);
        Assert.Equal(List(Map(("offset", 0L)), Map(("offset", 0L))), _record["reassignments"]);
    }

    private Dictionary<object, object?> Call(string function, params object?[] arguments) =>
        (Dictionary<object, object?>)_host.Call(function, _record, arguments)!;

    private static Dictionary<object, object?> SpendOf(int offset, byte[]? hash = null) =>
        Map(("idx", offset), ("offset", offset), ("vOut", offset), ("utxoHash", hash ?? Hash(offset)), ("spendingData", Spending));

    private static byte[] Hash(int number) => [.. Enumerable.Range(0, 32).Select(i => (byte)(number * 31 + i))];

    private static byte[] Spent(int number) => [.. Hash(number), .. Spending];
}
