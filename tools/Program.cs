using System.CommandLine;
using Aerie.Tools.Bench;
using Aerie.Tools.Expressions;
using Aerie.Tools.Info;
using Aerie.Tools.Storage;

var root = new RootCommand("Tools for Aerie and other servers that speak its protocol")
{
    InfoCommand.Create(),
    BenchCommand.Create(),
    StorageCommand.Create(),
    ExpCommand.Create(),
};
return root.Parse(args).Invoke();
