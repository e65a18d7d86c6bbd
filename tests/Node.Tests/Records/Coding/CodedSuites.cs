using Aerie.Node.Tests.Batch;
using Aerie.Node.Tests.Query;
using Aerie.Node.Tests.Transactions;

namespace Aerie.Node.Tests.Records.Coding;

// What clients may rely on is the same however records are stored.
public sealed class CompressedSingleRecordTests() : SingleRecordTests(CodedNode.Under(CodedNode.Compressed));

public sealed class EncryptedSingleRecordTests() : SingleRecordTests(CodedNode.Under(CodedNode.Encrypted));

public sealed class CompressedAndEncryptedSingleRecordTests() : SingleRecordTests(CodedNode.Under(CodedNode.Both));

public sealed class CompressedBatchTests() : BatchTests(CodedNode.Under(CodedNode.Compressed));

public sealed class EncryptedBatchTests() : BatchTests(CodedNode.Under(CodedNode.Encrypted));

public sealed class CompressedAndEncryptedBatchTests() : BatchTests(CodedNode.Under(CodedNode.Both));

public sealed class CompressedAndEncryptedQueryTests() : QueryTests(CodedNode.Under(CodedNode.Both));
