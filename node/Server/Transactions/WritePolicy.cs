using Aerie.Foundation;
using Aerie.Protocol;

namespace Aerie.Server.Transactions;

/// Whether a write may go ahead, given whether the record exists and its generation.
internal static class WritePolicy
{
    /// A record cannot be there and not be there.
    public static bool Contradicts(in RecordCommand command) =>
        command.Asks(Info2.CreateOnly) && (command.Asks(Info3.UpdateOnly) || command.Asks(Info3.ReplaceOnly));

    public static ResultCode Allows(in RecordCommand command, bool exists, uint generation, bool needsRecord)
    {
        if (exists && command.Asks(Info2.CreateOnly))
        {
            return ResultCode.RecordExists;
        }

        if (!exists && (needsRecord || command.Asks(Info3.UpdateOnly) || command.Asks(Info3.ReplaceOnly)))
        {
            return ResultCode.NotFound;
        }

        return AllowsGeneration(command, exists ? generation : 0);
    }

    /// A record that does not exist has generation 0.
    public static ResultCode AllowsGeneration(in RecordCommand command, uint generation) =>
        RefusesGeneration(command.Info2, command.Generation, generation) ? ResultCode.Generation : ResultCode.Ok;

    public static bool RefusesGeneration(Info2 asked, uint wanted, uint generation) =>
        ((asked & Info2.GenerationEqual) != 0 && wanted != generation)
        || ((asked & Info2.GenerationGreater) != 0 && wanted <= generation);

    /// 16 bits that wrap to 1: 0 means that there is no record.
    public static ushort NextGeneration(ushort generation) => generation == ushort.MaxValue ? (ushort)1 : (ushort)(generation + 1);
}
