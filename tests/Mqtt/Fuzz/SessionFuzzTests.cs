namespace EdgeFirmware.Mqtt.Tests.Fuzz;

[Collection(Alone.Name)]
public sealed class SessionFuzzTests
{
    private const int Inputs = 100_000;
    private const int InputsOfOne = 1000;
    private const long GrowthBytesMax = 32 << 20;

    [Fact]
    public async Task Whatever_clients_send_the_broker_neither_fails_nor_hangs_nor_grows_and_says_what_was_wrong()
    {
        // A thread without a synchronization context, on which the broker's continuations may run at once.
        await Task.Run(() =>
        {
            long? before = null;
            FuzzCampaign.Run("sessions", FuzzCampaign.Count(Inputs), seed =>
            {
                var schedule = new Schedule(seed);
                schedule.Run(InputsOfOne);
                if (seed % 10 == 9)
                {
                    var held = GC.GetTotalMemory(forceFullCollection: true);
                    before ??= held;
                    if (held - before > GrowthBytesMax) throw new InvalidOperationException($"{held - before} bytes more than at first");
                }

                return schedule.Inputs;
            });
        });
    }
}
