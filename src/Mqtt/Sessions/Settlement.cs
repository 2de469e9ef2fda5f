using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>A delivery that ended; the shell calls back outside its lock.</summary>
internal readonly record struct Settlement(Action<DeliveryOutcome> Settled, DeliveryOutcome Outcome);
