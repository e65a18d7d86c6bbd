using Aerie.Client.Wire;
using Xunit;

namespace Aerie.Node.Tests.Client;

public class FrozenWireNumbersTests
{
    [Fact]
    public void The_numbers_of_the_protocol_do_not_change()
    {
        AssertFrozen<MessageType>("Info=1 Message=3");
        AssertFrozen<Info1>("None=0 Read=1 GetAll=2 ShortQuery=4 Batch=8 NoBinData=32");
        AssertFrozen<Info2>(
            "None=0 Write=1 Delete=2 GenerationEqual=4 GenerationGreater=8 DurableDelete=16 CreateOnly=32 RespondAllOps=128");
        AssertFrozen<Info3>("None=0 Last=1 CommitMaster=2 PartitionDone=4 UpdateOnly=8 CreateOrReplace=16 ReplaceOnly=32");
        AssertFrozen<FieldType>(
            "Namespace=0 Set=1 Key=2 Digest=4 QueryId=7 SocketTimeout=9 RecordsPerSecond=10 PartitionIds=11 ResumeDigests=12"
            + " MaxRecords=13 Batch=41 FilterExpression=43");
        AssertFrozen<OperationKind>(
            "Read=1 Write=2 CdtRead=3 CdtModify=4 Add=5 ExpressionRead=7 ExpressionModify=8 Append=9 Prepend=10 Touch=11"
            + " BitsRead=12 BitsModify=13 Delete=14 HllRead=15 HllModify=16");
        AssertFrozen<ParticleType>("Null=0 Integer=1 Double=2 String=3 Bytes=4 Bool=17 HyperLogLog=18 Map=19 List=20 GeoJson=23");
        AssertFrozen<BatchKeyForm>("Repeat=1 Info=2 Generation=4 Ttl=8");
        AssertFrozen<BatchFlags>("None=0 AllowInline=1 AllowInlineOnDevice=2 RespondAllKeys=4");
    }

    private static void AssertFrozen<T>(string expected)
        where T : struct, Enum =>
        Assert.Equal(expected, string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToByte(value)}")));
}
