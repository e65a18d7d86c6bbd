using System.Buffers;
using System.Globalization;
using System.Text;
using Aerie.Foundation;
using Aerie.Server.Config;

namespace Aerie.Server.Info;

/// Who may give a command once security is on.
public enum InfoPermission : byte
{
    /// Anybody who may connect.
    None,

    SysAdmin,
    DataAdmin,
}

/// Answers one command into the text. Runs on an event loop: it may read figures and set a flag, never wait or walk
/// through records.
public delegate void InfoHandler(in InfoRequest request, InfoText reply);

/// One row of the table of info commands. Every command works on every port.
public sealed record InfoCommand(string Name, string Help, InfoPermission Permission, InfoHandler Answer);

/// A command as it was asked: `name`, `name:key=value;key=value` or `name/argument`.
public readonly struct InfoRequest
{
    private InfoRequest(string name, string text, PortKind port)
    {
        Name = name;
        Text = text;
        Port = port;
    }

    public string Name { get; }

    /// What follows the name and its `:` or `/`.
    public string Text { get; }

    public PortKind Port { get; }

    /// The value of a key; null when it was not given.
    public string? this[string key]
    {
        get
        {
            foreach (var part in Text.AsSpan().Split(';'))
            {
                var pair = Text.AsSpan()[part].Trim();
                var equals = pair.IndexOf('=');
                if (equals > 0 && pair[..equals].SequenceEqual(key))
                {
                    return pair[(equals + 1)..].ToString();
                }
            }

            return null;
        }
    }

    /// Newer tools say `namespace`, older ones `ns` or `id`.
    public string? Namespace => this["namespace"] ?? this["ns"] ?? this["id"];

    public static InfoRequest Parse(string line, PortKind port)
    {
        var trimmed = line.Trim();
        var end = trimmed.AsSpan().IndexOfAny(':', '/');
        return end < 0 ? new InfoRequest(trimmed, "", port) : new InfoRequest(trimmed[..end], trimmed[(end + 1)..], port);
    }
}

/// The reply under construction.
public sealed class InfoText(IBufferWriter<byte> into)
{
    private bool _hasPairs;

    public InfoText Append(string text)
    {
        var span = into.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        var written = span[..Encoding.UTF8.GetBytes(text, span)];

        // Names that clients chose come back here; they must not look like the next reply.
        for (var at = written.IndexOfAnyInRange((byte)0, (byte)0x1F); at >= 0; at = written.IndexOfAnyInRange((byte)0, (byte)0x1F))
        {
            written[at] = (byte)'?';
        }

        into.Advance(written.Length);
        return this;
    }

    public InfoText Append(long number)
    {
        var span = into.GetSpan(20);
        number.TryFormat(span, out var written, provider: CultureInfo.InvariantCulture);
        into.Advance(written);
        return this;
    }

    /// `key=value`, after a `;` unless it is the first.
    public InfoText Pair(string key, string value)
    {
        if (_hasPairs)
        {
            Append(";");
        }

        _hasPairs = true;
        return Append(key).Append("=").Append(value);
    }

    public InfoText Ok() => Append("ok");

    public InfoText Answer(ConfigAnswer answer) =>
        answer.Code == ResultCode.Ok ? Append(answer.Text) : Error(answer.Code, answer.Text);

    /// `ERROR:<code>:<message>`; the code of an unknown error is left out, as the reference does.
    public InfoText Error(ResultCode code, string message)
    {
        Append("ERROR:");
        if (code != ResultCode.Unknown)
        {
            Append((long)code);
        }

        return Append(":").Append(message);
    }
}
