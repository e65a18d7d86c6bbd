using System.Globalization;
using System.Text;
using Aerie.DataModel.Bins;
using Aerie.DataModel.Packed;

namespace Aerie.Node.Tests.DataModel.Cdt;

/// Packed values as text and back. Beside JSON: o[…] is an ordered list, k{…} a map ordered by key, kv{…} by key and value, a digit
/// run behind the letters the flags of the mark as they are (m17[…]); x0AFF is a blob, * the wildcard, inf infinity, g"…" GeoJSON.
internal static class PackedText
{
    public static byte[] Pack(string text)
    {
        var bytes = new GrowingBytes(64 * 1024 * 1024);
        var parser = new Parser(text, bytes);
        parser.Value();
        parser.End();
        return bytes.Read(0, bytes.Length).ToArray();
    }

    public static string Show(ReadOnlySpan<byte> packed)
    {
        var text = new StringBuilder();
        var reader = new PackedReader(packed);
        Show(ref reader, text);
        if (!reader.IsAtEnd)
        {
            text.Append(" and more: ").Append(Convert.ToHexString(packed[reader.Offset..]));
        }

        return text.ToString();
    }

    private static void Show(ref PackedReader reader, StringBuilder text)
    {
        if (!reader.TryRead(out var item))
        {
            text.Append("broken");
            return;
        }

        switch (item.Kind)
        {
            case PackedKind.List or PackedKind.Map:
                ShowContainer(ref reader, item.Kind == PackedKind.Map, item.Count, text);
                return;
            case PackedKind.Double:
                text.Append(item.Double.ToString("0.0###############", CultureInfo.InvariantCulture));
                return;
            case PackedKind.Extension:
                text.Append("ext").Append(item.Tag);
                return;
        }

        text.Append(item.Kind switch
        {
            PackedKind.Nil => "null",
            PackedKind.False => "false",
            PackedKind.True => "true",
            PackedKind.Integer => item.Bits.ToString(CultureInfo.InvariantCulture),
            PackedKind.Text => $"\"{Encoding.UTF8.GetString(item.Bytes)}\"",
            PackedKind.GeoJson => $"g\"{Encoding.UTF8.GetString(item.Bytes)}\"",
            PackedKind.Bytes => "x" + Convert.ToHexString(item.Bytes),
            PackedKind.Wildcard => "*",
            _ => "inf",
        });
    }

    private static void ShowContainer(ref PackedReader reader, bool isMap, int count, StringBuilder text)
    {
        var behind = reader;
        if (count > 0 && behind.TryRead(out var mark) && mark.Kind == PackedKind.Extension)
        {
            reader = behind;
            count--;
            text.Append((mark.Tag, isMap) switch
            {
                (1, false) => "o",
                (1, true) => "k",
                (3, true) => "kv",
                var (flags, _) => $"m{flags}",
            });
            if (isMap)
            {
                reader.TrySkip();
            }
        }

        text.Append(isMap ? '{' : '[');
        for (var i = 0; i < count; i++)
        {
            text.Append(i > 0 ? ", " : "");
            Show(ref reader, text);
            if (isMap)
            {
                text.Append(": ");
                Show(ref reader, text);
            }
        }

        text.Append(isMap ? '}' : ']');
    }

    private sealed class Parser(string text, GrowingBytes bytes)
    {
        private readonly PackedWriter _writer = new(bytes);
        private int _at;

        public void Value()
        {
            Blanks();
            var start = _at;
            while (_at < text.Length && char.IsAsciiLetterOrDigit(text[_at]) && !IsNumber(start))
            {
                _at++;
            }

            var word = text[start.._at];
            switch (_at < text.Length ? text[_at] : ' ')
            {
                case '[' or '{' when !IsNumber(start):
                    Container(word);
                    break;
                case '"':
                    _writer.Payload(word == "g" ? (byte)23 : (byte)3, Encoding.UTF8.GetBytes(Quoted()));
                    break;
                case '*':
                    _at++;
                    bytes.Append(PackedWriter.WildcardBytes);
                    break;
                default:
                    Scalar(word, start);
                    break;
            }
        }

        public void End()
        {
            Blanks();
            if (_at < text.Length)
            {
                throw new FormatException($"at {_at} of {text}");
            }
        }

        private bool IsNumber(int start) => start < text.Length && (char.IsAsciiDigit(text[start]) || text[start] == '-');

        private void Scalar(string word, int start)
        {
            switch (word)
            {
                case "null":
                    _writer.Nil();
                    return;
                case "true" or "false":
                    _writer.Bool(word == "true");
                    return;
                case "inf":
                    bytes.Append(PackedWriter.InfinityBytes);
                    return;
                case ['x', .. var hex]:
                    _writer.Payload(4, Convert.FromHexString(hex));
                    return;
            }

            while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is '-' or '.' or '+'))
            {
                _at++;
            }

            var number = text[start.._at];
            if (number.StartsWith("0x", StringComparison.Ordinal))
            {
                _writer.Integer(long.Parse(number[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
            else if (number.Contains('.'))
            {
                _writer.Double(double.Parse(number, CultureInfo.InvariantCulture));
            }
            else
            {
                _writer.Integer(long.Parse(number, CultureInfo.InvariantCulture));
            }
        }

        private void Container(string letters)
        {
            var isMap = text[_at++] == '{';
            var flags = letters switch
            {
                "" => 0,
                "o" or "k" => 1,
                "kv" => 3,
                _ => byte.Parse(letters[1..], CultureInfo.InvariantCulture),
            };
            var content = new GrowingBytes(64 * 1024 * 1024);
            var inner = new Parser(text, content) { _at = _at };
            var count = inner.Elements(isMap);
            _at = inner._at;
            var marked = letters.Length > 0 ? count + 1 : count;
            if (isMap)
            {
                _writer.Map(marked);
            }
            else
            {
                _writer.List(marked);
            }

            if (letters.Length > 0 && isMap)
            {
                _writer.MapMark((byte)flags);
            }
            else if (letters.Length > 0)
            {
                _writer.ListMark((byte)flags);
            }

            bytes.Append(content.Read(0, content.Length));
        }

        private int Elements(bool isMap)
        {
            var close = isMap ? '}' : ']';
            var count = 0;
            for (Blanks(); text[_at] != close; Blanks())
            {
                Value();
                if (isMap)
                {
                    Pass(':');
                    Value();
                }

                count++;
                Blanks();
                if (text[_at] != close)
                {
                    Pass(',');
                }
            }

            _at++;
            return count;
        }

        private string Quoted()
        {
            var end = text.IndexOf('"', _at + 1);
            var quoted = text[(_at + 1)..end];
            _at = end + 1;
            return quoted;
        }

        private void Pass(char expected)
        {
            Blanks();
            if (text[_at++] != expected)
            {
                throw new FormatException($"no {expected} at {_at - 1} of {text}");
            }
        }

        private void Blanks()
        {
            while (_at < text.Length && text[_at] == ' ')
            {
                _at++;
            }
        }
    }
}
