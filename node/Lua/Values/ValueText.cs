using System.Globalization;
using Aerie.DataModel.Packed;
using Aerie.Lua.Native;

namespace Aerie.Lua.Values;

/// What tostring() says of lists, maps, bytes and GeoJSON: [1, "a"], {"k":1}, 0A FF, "{…}".
internal static unsafe class ValueText
{
    private const int StackPerLevel = 6;

    private static ReadOnlySpan<byte> Digits => "0123456789ABCDEF"u8;

    public static void Write(LuaState state, nint lua, int index, GrowingBytes target, int depth)
    {
        switch (LuaApi.Type(lua, index))
        {
            case LuaApi.TypeNil:
                target.Append("NIL"u8);
                return;
            case LuaApi.TypeBoolean:
                target.Append(LuaApi.ToBoolean(lua, index) != 0 ? "true"u8 : "false"u8);
                return;
            case LuaApi.TypeNumber:
                WriteNumber(lua, index, target);
                return;
            case LuaApi.TypeString:
                Quote(target, LuaStack.CString(lua, index));
                return;
            default:
                WriteBox(state, lua, index, target, depth);
                return;
        }
    }

    private static void WriteBox(LuaState state, nint lua, int index, GrowingBytes target, int depth)
    {
        var box = Boxes.At(lua, index);
        switch (box->Kind)
        {
            case BoxKind.Bytes:
                WriteHex(target, ((BytesBox*)box)->Content);
                return;
            case BoxKind.GeoJson:
                Quote(target, ((BytesBox*)box)->Content);
                return;
            default:
                if (depth >= PackedReader.DepthMax || LuaApi.CheckStack(lua, StackPerLevel) == 0)
                {
                    throw ScriptException.TooDeep;
                }

                var elements = new Elements(state, lua, index, (ContainerBox*)box);
                elements.Open();
                WriteElements(elements, target, depth);
                return;
        }
    }

    private static void WriteElements(Elements elements, GrowingBytes target, int depth)
    {
        var isMap = elements.Box->Kind == BoxKind.Map;
        if (isMap)
        {
            new MapEntries(elements).Sort();
        }

        target.Append(isMap ? (byte)'{' : (byte)'[');
        var slots = elements.Box->Count * elements.Box->SlotsPerEntry;
        for (var at = 0; at < slots && !target.Overflowed; at++)
        {
            var isValueOfMap = isMap && at % 2 == 1;
            target.Append(at == 0 ? [] : isValueOfMap ? ":"u8 : ", "u8);
            elements.State.WalkOn();
            elements.Push(at);
            Write(elements.State, elements.Lua, LuaApi.Top(elements.Lua), target, depth + 1);
            LuaApi.SetTop(elements.Lua, -2);
        }

        target.Append(isMap ? (byte)'}' : (byte)']');
        elements.State.Charge(slots);
    }

    private static void WriteNumber(nint lua, int index, GrowingBytes target)
    {
        var room = target.Reserve(32);
        int length;
        if (LuaApi.IsInteger(lua, index) != 0)
        {
            LuaApi.ToInteger(lua, index, null).TryFormat(room, out length, default, CultureInfo.InvariantCulture);
        }
        else
        {
            LuaApi.ToNumber(lua, index, null).TryFormat(room, out length, "g16", CultureInfo.InvariantCulture);
        }

        target.Commit(length);
    }

    private static void WriteHex(GrowingBytes target, ReadOnlySpan<byte> content)
    {
        for (var i = 0; i < content.Length && !target.Overflowed; i++)
        {
            var room = target.Reserve(3);
            room[0] = Digits[content[i] >> 4];
            room[1] = Digits[content[i] & 0x0F];
            room[2] = (byte)' ';
            target.Commit(i == content.Length - 1 ? 2 : 3);
        }
    }

    private static void Quote(GrowingBytes target, ReadOnlySpan<byte> text)
    {
        target.Append((byte)'"');
        target.Append(text);
        target.Append((byte)'"');
    }
}
