global using EdgeFirmware.Simulation;
global using Xunit;
