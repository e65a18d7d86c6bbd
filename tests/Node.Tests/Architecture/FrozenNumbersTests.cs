using Aerie.Foundation;
using Xunit;

namespace Aerie.Node.Tests.Architecture;

/// Numbers that clients, other nodes or a disk have seen never change. Adding a member means adding it here; renaming or
/// renumbering one breaks everybody who stored or sent it, so take a new number instead and leave the old one unused.
public sealed class FrozenNumbersTests
{
    private static readonly Dictionary<Type, string> Frozen = new()
    {
        [typeof(ResultCode)] =
            "Ok=0 Unknown=1 NotFound=2 Generation=3 Parameter=4 RecordExists=5 BinExists=6 ClusterKeyMismatch=7 OutOfSpace=8 " +
            "Timeout=9 AlwaysForbidden=10 Unavailable=11 IncompatibleType=12 RecordTooBig=13 KeyBusy=14 QueryAbort=15 " +
            "UnsupportedFeature=16 BinNotFound=17 DeviceOverload=18 KeyMismatch=19 Namespace=20 BinName=21 Forbidden=22 " +
            "ElementNotFound=23 ElementExists=24 EnterpriseOnly=25 OpNotApplicable=26 FilteredOut=27 LostConflict=28 " +
            "XdrKeyBusy=32 QueryEnd=50 SecurityNotSupported=51 SecurityNotEnabled=52 SecurityScheme=53 SecurityCommand=54 " +
            "SecurityField=55 SecurityState=56 User=60 UserExists=61 Password=62 ExpiredPassword=63 ForbiddenPassword=64 " +
            "Credential=65 ExpiredSession=66 Role=70 RoleExists=71 Privilege=72 Whitelist=73 QuotasNotEnabled=74 Quota=75 " +
            "NotAuthenticated=80 RoleViolation=81 NotWhitelisted=82 QuotaExceeded=83 UdfExecution=100 MrtBlocked=120 " +
            "MrtVersionMismatch=121 MrtExpired=122 MrtTooManyWrites=123 MrtCommitted=124 MrtAborted=125 MrtAlreadyLocked=126 " +
            "MrtMonitorExists=127 BatchDisabled=150 BatchMaxRequests=151 BatchQueuesFull=152 GeoInvalid=160 IndexExists=200 " +
            "IndexNotFound=201 IndexOutOfMemory=202 IndexNotReadable=203 IndexGeneric=204 IndexName=205 IndexMaxCount=206 " +
            "QueryUserAbort=210 QueryQueueFull=211 QueryTimeout=212 QueryGeneric=213",
    };

    public static TheoryData<Type> FrozenTypes => new(Frozen.Keys);

    [Theory, MemberData(nameof(FrozenTypes))]
    public void The_numbers_are_what_they_were(Type type) => Assert.Equal(Frozen[type], Describe(type));

    [Fact]
    public void Every_enum_of_the_wire_is_frozen()
    {
        var loose = typeof(FrozenNumbersTests).Assembly.GetReferencedAssemblies()
            .Where(name => name.Name == "Aerie.Protocol")
            .Select(System.Reflection.Assembly.Load)
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.IsEnum && type.IsPublic && !Frozen.ContainsKey(type))
            .Select(type => $"[typeof({type.Name})] = \"{Describe(type)}\",")
            .ToList();
        Assert.True(loose.Count == 0, "add to the table:\n" + string.Join('\n', loose));
    }

    [Fact]
    public void A_changed_number_is_seen() => Assert.NotEqual("Ok=0 Unknown=2", Describe(typeof(Sample)));

    private enum Sample : byte { Ok = 0, Unknown = 1 }

    private static string Describe(Type type) => string.Join(' ', type.GetFields()
        .Where(field => field.IsLiteral)
        .Select(field => $"{field.Name}={Convert.ToUInt64(field.GetRawConstantValue()!)}"));
}
