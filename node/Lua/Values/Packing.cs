using System.Buffers.Binary;
using Aerie.DataModel;
using Aerie.DataModel.Packed;
using Aerie.Lua.Native;

namespace Aerie.Lua.Values;

/// Writes Lua values as bins and packed values.
internal static unsafe class Packing
{
    private const int StackPerLevel = 4;

    /// What a value on the stack is as a bin; false: scripts may hold it, but records and answers may not (tables, functions,
    /// coroutines, the record).
    public static bool IsStorable(nint lua, int index) => LuaApi.Type(lua, index) switch
    {
        LuaApi.TypeNone or LuaApi.TypeNil or LuaApi.TypeBoolean or LuaApi.TypeNumber or LuaApi.TypeString => true,
        LuaApi.TypeUserdata => Boxes.At(lua, index)->Kind is BoxKind.List or BoxKind.Map or BoxKind.Bytes or BoxKind.GeoJson,
        _ => false,
    };

    /// Writes a storable value as a bin's. The index may not be relative to the top.
    public static ParticleType WriteBin(LuaState state, nint lua, int index, GrowingBytes target)
    {
        switch (LuaApi.Type(lua, index))
        {
            case LuaApi.TypeBoolean:
                target.Append((byte)LuaApi.ToBoolean(lua, index));
                return ParticleType.Bool;
            case LuaApi.TypeNumber:
                var isInteger = LuaApi.IsInteger(lua, index) != 0;
                var bits = isInteger
                    ? LuaApi.ToInteger(lua, index, null)
                    : BitConverter.DoubleToInt64Bits(LuaApi.ToNumber(lua, index, null));
                WriteLong(target, bits);
                return isInteger ? ParticleType.Integer : ParticleType.Double;
            case LuaApi.TypeString:
                target.Append(LuaStack.CString(lua, index));
                return ParticleType.String;
            case LuaApi.TypeUserdata:
                return WriteBoxBin(state, lua, index, target);
            default:
                return ParticleType.Null;
        }
    }

    public static void WriteLong(GrowingBytes target, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(target.Reserve(sizeof(long)), value);
        target.Commit(sizeof(long));
    }

    /// Writes a storable value packed, as an element of a list or map has it. Once the target has overflowed it may stop.
    public static void Write(LuaState state, nint lua, int index, GrowingBytes target, int depth)
    {
        var writer = new PackedWriter(target);
        switch (LuaApi.Type(lua, index))
        {
            case LuaApi.TypeBoolean:
                writer.Bool(LuaApi.ToBoolean(lua, index) != 0);
                return;
            case LuaApi.TypeNumber when LuaApi.IsInteger(lua, index) != 0:
                writer.Integer(LuaApi.ToInteger(lua, index, null));
                return;
            case LuaApi.TypeNumber:
                writer.Double(LuaApi.ToNumber(lua, index, null));
                return;
            case LuaApi.TypeString:
                writer.Payload((byte)ParticleType.String, LuaStack.CString(lua, index));
                return;
            case LuaApi.TypeUserdata when Boxes.At(lua, index)->Kind is BoxKind.Bytes or BoxKind.GeoJson:
                var bytes = (BytesBox*)Boxes.At(lua, index);
                writer.Payload((byte)bytes->Type, bytes->Content);
                return;
            case LuaApi.TypeUserdata when Boxes.At(lua, index)->Kind is BoxKind.List or BoxKind.Map:
                WriteContainer(state, lua, index, target, depth);
                return;
            default:
                writer.Nil();
                return;
        }
    }

    private static ParticleType WriteBoxBin(LuaState state, nint lua, int index, GrowingBytes target)
    {
        var box = Boxes.At(lua, index);
        switch (box->Kind)
        {
            case BoxKind.List or BoxKind.Map:
                state.BeginWalk();
                WriteContainer(state, lua, index, target, 0);
                return box->Kind == BoxKind.List ? ParticleType.List : ParticleType.Map;
            case BoxKind.GeoJson:
                GeoJsonParticle.Write(target, ((BytesBox*)box)->Content);
                return ParticleType.GeoJson;
            case BoxKind.Bytes:
                target.Append(((BytesBox*)box)->Content);
                return BlobType(((BytesBox*)box)->Type);
            default:
                return ParticleType.Null;
        }
    }

    // Scripts may give bytes any type; only blobs can be stored as what they say.
    private static ParticleType BlobType(int type) => (ParticleType)type switch
    {
        ParticleType.Hll or (>= ParticleType.JavaBlob and <= ParticleType.ErlangBlob) => (ParticleType)type,
        _ => ParticleType.Bytes,
    };

    private static void WriteContainer(LuaState state, nint lua, int index, GrowingBytes target, int depth)
    {
        var box = (ContainerBox*)Boxes.At(lua, index);
        if (box->IsAsPacked)
        {
            target.Append(new ReadOnlySpan<byte>(box->Packed, box->PackedLength));
            return;
        }

        if (depth >= PackedReader.DepthMax || LuaApi.CheckStack(lua, StackPerLevel) == 0)
        {
            throw ScriptException.TooDeep;
        }

        var elements = new Elements(state, lua, index, box);
        elements.Open();
        WriteHead(elements, target);
        WriteSlots(elements, target, depth);
    }

    // A list that was ordered and has changed is stored as an unordered one: nothing says that it is still in order.
    private static void WriteHead(Elements elements, GrowingBytes target)
    {
        var writer = new PackedWriter(target);
        var box = elements.Box;
        if (box->Kind == BoxKind.List)
        {
            var isOrdered = box->Order != 0 && !box->IsChanged;
            writer.List(box->Count + (isOrdered ? 1 : 0));
            if (isOrdered)
            {
                writer.ListMark(box->Order);
            }

            return;
        }

        writer.Map(box->Count + (box->Order != 0 ? 1 : 0));
        if (box->Order != 0)
        {
            new MapEntries(elements).Sort();
            writer.MapMark(box->Order);
        }
    }

    // Elements that are packed still, and one behind the other, go in one piece.
    private static void WriteSlots(Elements elements, GrowingBytes target, int depth)
    {
        var slots = elements.Box->Count * elements.Box->SlotsPerEntry;
        var packed = new ReadOnlySpan<byte>(elements.Box->Packed, elements.Box->PackedLength);
        var (start, stop) = (0, 0);
        for (var at = 0; at < slots && !target.Overflowed; at++)
        {
            var slot = elements.Slot(at);
            if (slot >= 0)
            {
                if (slot != stop)
                {
                    target.Append(packed[start..stop]);
                    start = slot;
                }

                stop = PackedSkip.Next(packed, slot);
                continue;
            }

            target.Append(packed[start..stop]);
            (start, stop) = (0, 0);
            elements.State.WalkOn();
            elements.Push(at);
            Write(elements.State, elements.Lua, LuaApi.Top(elements.Lua), target, depth + 1);
            LuaApi.SetTop(elements.Lua, -2);
        }

        target.Append(packed[start..stop]);
        elements.State.Charge(slots / 16);
    }
}
