using System.Buffers.Binary;
using Aerie.Client.Wire;
using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Tools.Bench;

/// Counts what came back without keeping any of it. One per connection; the rest of an incomplete reply stays in the
/// buffer for the next receive, so the scanner itself remembers only how much of the present message is left.
internal struct ReplyScanner
{
    /// Bytes of the present message behind what was consumed; only streams stop inside a message.
    private long _left;

    /// Replies that are one message with one record each: adds the result of each to `tally`.
    public static int ScanSingle(ReadOnlySpan<byte> bytes, ReplyTally tally)
    {
        var at = 0;
        while (bytes.Length - at >= ProtoHeader.Length)
        {
            var length = BodyLength(bytes[at..]);
            if (length < MessageHeader.Length)
            {
                throw new FormatException("a reply shorter than its header");
            }

            var end = at + ProtoHeader.Length + length;
            if (end > bytes.Length)
            {
                break;
            }

            tally.Reply(bytes[(at + ProtoHeader.Length)..(int)end]);
            at = (int)end;
        }

        return at;
    }

    /// Replies that are a stream of records over several messages, up to the one marked last.
    public int ScanStream(ReadOnlySpan<byte> bytes, ReplyTally tally)
    {
        var at = 0;
        while (true)
        {
            if (_left == 0)
            {
                if (bytes.Length - at < ProtoHeader.Length)
                {
                    return at;
                }

                _left = BodyLength(bytes[at..]);
                at += ProtoHeader.Length;
                continue;
            }

            var length = RecordLength(bytes[at..]);
            if (length < 0)
            {
                return at;
            }

            if (length > _left)
            {
                throw new FormatException("a record longer than the message around it");
            }

            Count(bytes.Slice(at, length), tally);
            at += length;
            _left -= length;
        }
    }

    private static void Count(ReadOnlySpan<byte> record, ReplyTally tally)
    {
        var info3 = (Info3)record[3];
        var result = record[ReplyTally.ResultOffset];
        if ((info3 & Info3.Last) != 0)
        {
            tally.End(result);
        }
        else if ((info3 & Info3.PartitionDone) == 0)
        {
            tally.Record(record);
        }
        else if (result != (byte)ResultCode.Ok)
        {
            tally.Failure(result);
        }
    }

    private static long BodyLength(ReadOnlySpan<byte> bytes)
    {
        var header = ProtoHeader.Read(bytes);
        return header is { Version: ProtoHeader.CurrentVersion, Type: ProtoType.Message }
            ? header.BodyLength
            : throw new FormatException($"{Convert.ToHexString(bytes[..ProtoHeader.Length])} where the header of a reply belongs");
    }

    /// Header, fields and operations; -1 while its end has not arrived.
    private static int RecordLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < MessageHeader.Length)
        {
            return -1;
        }

        var parts = BinaryPrimitives.ReadUInt16BigEndian(bytes[18..]) + BinaryPrimitives.ReadUInt16BigEndian(bytes[20..]);
        long at = MessageHeader.Length;
        for (var i = 0; i < parts; i++)
        {
            if (bytes.Length - at < sizeof(uint))
            {
                return -1;
            }

            at += sizeof(uint) + BinaryPrimitives.ReadUInt32BigEndian(bytes[(int)at..]);
        }

        return at <= bytes.Length ? (int)at : -1;
    }
}

/// What one receive brought, and the totals by result code. Reset before each scan.
/// `answer`: what an answer that has not several values must contain; empty: anything.
internal sealed class ReplyTally(byte[] answer)
{
    public const string UnexpectedAnswer = "unexpected answer";

    internal const int ResultOffset = 5;

    private const int OperationsOffset = 20;

    /// By result code; written by the loop's thread, read by the one that prints.
    public long[] ByCode { get; } = new long[256];

    /// Answers that were no errors of the server's but not what the workload wants.
    public long Unexpected { get; private set; }

    /// Answered requests since the reset.
    public int Requests { get; private set; }

    /// Records that came well since the reset.
    public int Records { get; private set; }

    public int Failures { get; private set; }

    public void Reset()
    {
        Requests = 0;
        Records = 0;
        Failures = 0;
    }

    /// What a reply is that has one record.
    public void Reply(ReadOnlySpan<byte> record)
    {
        Requests++;
        Record(record);
    }

    public void Record(ReadOnlySpan<byte> record)
    {
        var result = record[ResultOffset];
        if (result != (byte)ResultCode.Ok)
        {
            Failure(result);
        }
        else if (IsAsWanted(record))
        {
            Records++;
        }
        else
        {
            Failures++;
            Unexpected++;
        }
    }

    public void End(byte result)
    {
        Requests++;
        // A query of partitions that hold nothing may end with "not found".
        if (result is not ((byte)ResultCode.Ok or (byte)ResultCode.NotFound))
        {
            Failure(result);
        }
    }

    public void Failure(byte result)
    {
        Failures++;
        ByCode[result]++;
    }

    /// Null: there was none.
    public string? FirstFailure()
    {
        var code = Array.FindIndex(ByCode, count => count > 0);
        return code >= 0 ? "the server answered " + BenchResult.CodeName(code)
            : Unexpected > 0 ? UnexpectedAnswer
            : null;
    }

    // Rows that write several bins, beside calls in the same batch, answer with one value for each.
    private bool IsAsWanted(ReadOnlySpan<byte> record) =>
        answer.Length == 0
        || BinaryPrimitives.ReadUInt16BigEndian(record[OperationsOffset..]) > 1
        || record.IndexOf(answer) >= 0;
}
