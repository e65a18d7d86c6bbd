using Aerie.Server;

return CommandLine.Run(args);
