using Aerie.DataModel;
using Aerie.Foundation;
using Aerie.Protocol;
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
        [typeof(BatchFlags)] =
            "None=0 InlineMemory=1 InlineDevice=2 RespondAllKeys=4 ReportErrorRecord=8",
        [typeof(BatchRowForm)] =
            "None=0 Repeat=1 HasInfo=2 HasGeneration=4 HasTtl=8 HasInfo4=16",
        [typeof(FieldId)] =
            "Namespace=0 Set=1 Key=2 RecordVersion=3 Digest=4 MrtId=5 MrtDeadline=6 QueryId=7 SocketTimeout=9 " +
            "RecordsPerSecond=10 Partitions=11 ResumeDigests=12 MaxRecords=13 LastUpdateTime=14 BvalArray=15 IndexName=21 " +
            "IndexRange=22 IndexContext=23 IndexExpression=24 IndexType=26 UdfModule=30 UdfFunction=31 UdfArguments=32 " +
            "UdfOp=33 QueryBins=40 Batch=41 BatchWithSet=42 Filter=43",
        [typeof(OpCode)] =
            "Read=1 Write=2 CdtRead=3 CdtModify=4 Add=5 ExpressionRead=7 ExpressionModify=8 Append=9 Prepend=10 Touch=11 " +
            "BitsRead=12 BitsModify=13 Delete=14 HllRead=15 HllModify=16",
        [typeof(Info1)] =
            "None=0 Read=1 GetAll=2 ShortQuery=4 Batch=8 Xdr=16 NoBinData=32 ConsistencyAll=64 CompressReply=128",
        [typeof(Info2)] =
            "None=0 Write=1 Delete=2 GenerationEqual=4 GenerationGreater=8 DurableDelete=16 CreateOnly=32 " +
            "RelaxedLongQuery=64 RespondAllOps=128",
        [typeof(Info3)] =
            "None=0 Last=1 CommitMaster=2 PartitionDone=4 UpdateOnly=8 CreateOrReplace=16 ReplaceOnly=32 ScReadType=64 " +
            "ScReadRelax=128",
        [typeof(ParticleType)] =
            "Null=0 Integer=1 Double=2 String=3 Bytes=4 JavaBlob=7 CSharpBlob=8 PythonBlob=9 RubyBlob=10 PhpBlob=11 ErlangBlob=12 " +
            "Bool=17 Hll=18 Map=19 List=20 GeoJson=23",
        [typeof(ProtoType)] =
            "Info=1 Security=2 Message=3 CompressedMessage=4 Xdr=5",
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
