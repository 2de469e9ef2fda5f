global using EdgeFirmware.Mqtt.Tests.Support;
global using Xunit;
