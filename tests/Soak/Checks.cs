namespace Aerie.Soak;

/// What a run claims, one line each, and how it came out.
internal sealed class Checks
{
    private int _passed;
    private int _failed;

    public void That(bool holds, string claim)
    {
        _passed += holds ? 1 : 0;
        _failed += holds ? 0 : 1;
        Console.WriteLine($"{(holds ? "ok     " : "FAILED ")} {claim}");
    }

    public static void Say(string text) => Console.WriteLine($"        {text}");

    public int Summary()
    {
        Console.WriteLine($"{_passed} passed, {_failed} failed");
        return _failed == 0 ? 0 : 1;
    }
}
