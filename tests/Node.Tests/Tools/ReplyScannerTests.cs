using Aerie.Client.Wire;
using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Node.Tests.Client;
using Aerie.Protocol;
using Aerie.Tools.Bench;
using Xunit;

namespace Aerie.Node.Tests.Tools;

public class ReplyScannerTests
{
    [Fact]
    public void A_stream_counts_the_same_however_it_is_cut()
    {
        var record = ScriptedServer.Record(
            ResultCode.Ok,
            fields: [ScriptedServer.Field(FieldId.Digest, new byte[20])],
            operations: [ScriptedServer.Operation("b", ParticleType.String, "value"u8)]);
        byte[] stream =
        [
            .. ScriptedServer.Message(record, record),
            .. ScriptedServer.Message(),
            .. ScriptedServer.Message(
                record, ScriptedServer.Record(ResultCode.NotFound), ScriptedServer.Record(ResultCode.Ok, Info3.PartitionDone)),
            .. ScriptedServer.Message(ScriptedServer.Record(ResultCode.Ok, Info3.Last)),
        ];
        for (var step = 1; step <= stream.Length; step++)
        {
            var tally = new ReplyTally([]);
            var scanner = default(ReplyScanner);
            var consumed = 0;
            for (var arrived = step; consumed < stream.Length; arrived = Math.Min(arrived + step, stream.Length))
            {
                consumed += scanner.ScanStream(stream.AsSpan(consumed, arrived - consumed), tally);
            }

            Assert.Equal((1, 3, 1, 1L), (tally.Requests, tally.Records, tally.Failures, tally.ByCode[(int)ResultCode.NotFound]));
        }
    }

    [Fact]
    public void Single_replies_count_only_when_complete()
    {
        byte[] stream =
        [
            .. ScriptedServer.Message(ScriptedServer.Record(ResultCode.Ok)),
            .. ScriptedServer.Message(ScriptedServer.Record(ResultCode.Timeout)),
        ];
        for (var arrived = 0; arrived <= stream.Length; arrived++)
        {
            var tally = new ReplyTally([]);
            var consumed = ReplyScanner.ScanSingle(stream.AsSpan(0, arrived), tally);
            Assert.Equal(arrived / 30, tally.Requests);
            Assert.Equal(arrived / 30 * 30, consumed);
        }
    }

    [Fact]
    public void Rows_of_a_batch_that_fail_or_answer_something_else_are_seen()
    {
        static byte[] Row(ResultCode result, params string[] answers) => ScriptedServer.Record(
            result, operations: [.. answers.Select(answer => ScriptedServer.Operation("SUCCESS", ParticleType.String, Bytes(answer)))]);
        var stream = ScriptedServer.Message(
            Row(ResultCode.Ok, "status OK"),
            Row(ResultCode.Ok, "status NO"),
            Row(ResultCode.UdfExecution, "status OK"),
            Row(ResultCode.Ok, "a", "b"),
            ScriptedServer.Record(ResultCode.Ok, Info3.Last));
        var tally = new ReplyTally(Bytes("status OK"));
        var scanner = default(ReplyScanner);
        Assert.Equal(stream.Length, scanner.ScanStream(stream, tally));
        Assert.Equal((1, 2, 2), (tally.Requests, tally.Records, tally.Failures));
        Assert.Equal((1L, 1L), (tally.Unexpected, tally.ByCode[(int)ResultCode.UdfExecution]));
    }

    [Theory]
    [InlineData("0103000000000016")]
    [InlineData("0203000000000001")]
    public void What_is_no_reply_is_refused(string hex)
    {
        Assert.Throws<FormatException>(() => ReplyScanner.ScanSingle(Convert.FromHexString(hex), new ReplyTally([])));
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
