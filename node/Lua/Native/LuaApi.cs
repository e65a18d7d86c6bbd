using System.Runtime.InteropServices;

namespace Aerie.Lua.Native;

/// The part of Lua's C interface that is used here. What is marked SuppressGCTransition neither allocates nor calls back nor
/// takes long; everything else may enter the allocator, which is managed code.
///
/// Functions that can raise an error (lua_error itself, anything that runs a metamethod or compares, lua_next with a foreign
/// key) are missing on purpose: they would jump over the managed frames of whoever calls them from a callback.
internal static unsafe partial class LuaApi
{
    public const int TypeNone = -1;
    public const int TypeNil = 0;
    public const int TypeBoolean = 1;
    public const int TypeNumber = 3;
    public const int TypeString = 4;
    public const int TypeTable = 5;
    public const int TypeUserdata = 7;

    public const int Registry = -1_000_000 - 1000;
    public const int RegistryGlobals = 2;
    public const int MaskCount = 8;

    public const int StatusOk = 0;
    public const int StatusYield = 1;
    public const int StatusMemory = 4;

    public const int GcCollect = 2;
    public const int GcIncremental = 11;

    private const string Lib = LuaLibrary.Name;

    /// The index of a C function's upvalue.
    public static int Upvalue(int index) => Registry - index;

    [DllImport(Lib, EntryPoint = "lua_type"), SuppressGCTransition]
    public static extern int Type(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_gettop"), SuppressGCTransition]
    public static extern int Top(nint lua);

    [DllImport(Lib, EntryPoint = "lua_settop"), SuppressGCTransition]
    public static extern void SetTop(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_touserdata"), SuppressGCTransition]
    public static extern void* ToUserdata(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_tothread"), SuppressGCTransition]
    public static extern nint ToThread(nint lua, int index);

    /// Only for numbers: of a string it would scan the whole.
    [DllImport(Lib, EntryPoint = "lua_tointegerx"), SuppressGCTransition]
    public static extern long ToInteger(nint lua, int index, int* isNumber);

    [DllImport(Lib, EntryPoint = "lua_tointegerx")]
    public static extern long TextToInteger(nint lua, int index, int* isNumber);

    [DllImport(Lib, EntryPoint = "lua_tonumberx"), SuppressGCTransition]
    public static extern double ToNumber(nint lua, int index, int* isNumber);

    [DllImport(Lib, EntryPoint = "lua_isinteger"), SuppressGCTransition]
    public static extern int IsInteger(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_toboolean"), SuppressGCTransition]
    public static extern int ToBoolean(nint lua, int index);

    /// Only for strings: a number would be converted in place and allocate.
    [DllImport(Lib, EntryPoint = "lua_tolstring"), SuppressGCTransition]
    public static extern byte* StringBytes(nint lua, int index, nuint* length);

    [DllImport(Lib, EntryPoint = "lua_tolstring")]
    public static extern byte* NumberToString(nint lua, int index, nuint* length);

    [DllImport(Lib, EntryPoint = "lua_pushnil"), SuppressGCTransition]
    public static extern void PushNil(nint lua);

    [DllImport(Lib, EntryPoint = "lua_pushinteger"), SuppressGCTransition]
    public static extern void PushInteger(nint lua, long value);

    [DllImport(Lib, EntryPoint = "lua_pushnumber"), SuppressGCTransition]
    public static extern void PushNumber(nint lua, double value);

    [DllImport(Lib, EntryPoint = "lua_pushboolean"), SuppressGCTransition]
    public static extern void PushBoolean(nint lua, int value);

    [DllImport(Lib, EntryPoint = "lua_pushlightuserdata"), SuppressGCTransition]
    public static extern void PushLight(nint lua, nint value);

    [DllImport(Lib, EntryPoint = "lua_pushvalue"), SuppressGCTransition]
    public static extern void PushValue(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_rotate"), SuppressGCTransition]
    public static extern void Rotate(nint lua, int index, int count);

    [DllImport(Lib, EntryPoint = "lua_xmove"), SuppressGCTransition]
    public static extern void Move(nint from, nint to, int count);

    [DllImport(Lib, EntryPoint = "lua_rawgeti"), SuppressGCTransition]
    public static extern int RawGet(nint lua, int index, long key);

    /// Replaces the key on top of the stack by its value.
    [DllImport(Lib, EntryPoint = "lua_rawget"), SuppressGCTransition]
    public static extern int RawGet(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_rawlen"), SuppressGCTransition]
    public static extern ulong RawLength(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_getiuservalue"), SuppressGCTransition]
    public static extern int GetUserValue(nint lua, int index, int number);

    [DllImport(Lib, EntryPoint = "lua_setiuservalue"), SuppressGCTransition]
    public static extern int SetUserValue(nint lua, int index, int number);

    [DllImport(Lib, EntryPoint = "lua_setmetatable"), SuppressGCTransition]
    public static extern int SetMetatable(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_sethook"), SuppressGCTransition]
    public static extern void SetHook(nint lua, nint function, int mask, int count);

    [DllImport(Lib, EntryPoint = "lua_gethookmask"), SuppressGCTransition]
    public static extern int HookMask(nint lua);

    [DllImport(Lib, EntryPoint = "lua_isyieldable"), SuppressGCTransition]
    public static extern int IsYieldable(nint lua);

    /// From a count hook only, after IsYieldable: it marks the thread, and Lua leaves it after the hook has returned.
    [DllImport(Lib, EntryPoint = "lua_yieldk")]
    public static extern int YieldFromHook(nint lua, int results, nint context, nint continuation);

    [DllImport(Lib, EntryPoint = "lua_checkstack")]
    public static extern int CheckStack(nint lua, int slots);

    [DllImport(Lib, EntryPoint = "lua_pushlstring")]
    public static extern byte* PushString(nint lua, byte* bytes, nuint length);

    [DllImport(Lib, EntryPoint = "lua_newuserdatauv")]
    public static extern void* NewUserdata(nint lua, nuint size, int userValues);

    [DllImport(Lib, EntryPoint = "lua_createtable")]
    public static extern void NewTable(nint lua, int elements, int fields);

    [DllImport(Lib, EntryPoint = "lua_rawset")]
    public static extern void RawSet(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_rawseti")]
    public static extern void RawSet(nint lua, int index, long key);

    /// Only with keys that came from this call, on a table that did not change since.
    [DllImport(Lib, EntryPoint = "lua_next")]
    public static extern int Next(nint lua, int index);

    [DllImport(Lib, EntryPoint = "lua_pushcclosure")]
    public static extern void PushFunction(nint lua, nint function, int upvalues);

    [DllImport(Lib, EntryPoint = "lua_newstate")]
    public static extern nint NewState(nint allocator, nint context);

    [DllImport(Lib, EntryPoint = "lua_close")]
    public static extern void Close(nint lua);

    [DllImport(Lib, EntryPoint = "lua_newthread")]
    public static extern nint NewThread(nint lua);

    [DllImport(Lib, EntryPoint = "lua_resume")]
    public static extern int Resume(nint lua, nint from, int arguments, int* results);

    [DllImport(Lib, EntryPoint = "lua_pcallk")]
    public static extern int ProtectedCall(nint lua, int arguments, int results, int handler, nint context, nint continuation);

    [DllImport(Lib, EntryPoint = "luaL_loadbufferx")]
    public static extern int Load(nint lua, byte* text, nuint length, byte* name, byte* mode);

    [DllImport(Lib, EntryPoint = "luaL_requiref")]
    public static extern void OpenLibrary(nint lua, byte* name, nint open, int isGlobal);

    [DllImport(Lib, EntryPoint = "luaL_ref")]
    public static extern int Keep(nint lua, int table);

    [DllImport(Lib, EntryPoint = "lua_gc")]
    public static extern int Collect(nint lua, int what, int a, int b, int c);

    [DllImport(Lib, EntryPoint = "lua_getstack")]
    public static extern int GetStack(nint lua, int level, Activation* activation);

    [DllImport(Lib, EntryPoint = "lua_getinfo")]
    public static extern int GetInfo(nint lua, byte* what, Activation* activation);

    /// lua_Debug of Lua 5.4.
    [StructLayout(LayoutKind.Sequential)]
    public struct Activation
    {
        public int Event;
        public byte* Name;
        public byte* NameWhat;
        public byte* What;
        public byte* Source;
        public nuint SourceLength;
        public int CurrentLine;
        public int FirstLine;
        public int LastLine;
        public byte UpvalueCount;
        public byte ParameterCount;
        public byte IsVararg;
        public byte IsTailCall;
        public ushort FirstTransferred;
        public ushort TransferredCount;
        public fixed byte ShortSource[60];
        public nint CallInfo;
    }
}
