using System.Text;
using Aerie.Client;

namespace Aerie.Soak.Udfs;

/// Registers and removes modules while they are called, and now and then throws away all that is compiled.
internal sealed class ModuleChanger(AerieClient client, UdfTally tally)
{
    private const int ClearEvery = 50;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private int _started;
    private int _registered;

    /// Versions that a call may meet: none older than what was registered when it was sent, none newer than what was begun.
    public int Started => Volatile.Read(ref _started);

    public int Registered => Volatile.Read(ref _registered);

    /// Once, before anything is called.
    public void RegisterAll()
    {
        Put(UdfScripts.Module, UdfScripts.Text);
        Next();
    }

    public void Run(ManualResetEventSlim stop)
    {
        try
        {
            for (var round = 1; !stop.Wait(Pause); round++)
            {
                Next();
                if (round % 2 == 0)
                {
                    Put(UdfScripts.GoneModule, "function there(rec) return 1 end");
                }
                else
                {
                    Expect("ok", $"udf-remove:filename={UdfScripts.GoneModule}.lua;");
                }

                if (round % ClearEvery == 0)
                {
                    Expect("ok", "udf-clear-cache:");
                    Put(UdfScripts.Module, UdfScripts.Text);
                }
            }
        }
        catch (Exception failure)
        {
            tally.Problem($"who changes modules ends: {failure.Message}");
        }
    }

    private void Next()
    {
        Volatile.Write(ref _started, _started + 1);
        Put(UdfScripts.VersionModule, UdfScripts.Version(_started));
        Volatile.Write(ref _registered, _started);
    }

    private void Put(string module, string text)
    {
        var content = Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
        Expect("", $"udf-put:filename={module}.lua;content={content};content-len={content.Length};udf-type=LUA;");
    }

    private void Expect(string answer, string command)
    {
        var said = client.Info(command);
        if (said.StartsWith("error", StringComparison.OrdinalIgnoreCase) || (answer.Length > 0 && said != answer))
        {
            tally.Problem($"{command[..Math.Min(command.Length, 60)]}: {said}");
        }
    }
}
