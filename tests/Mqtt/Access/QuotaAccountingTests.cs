namespace EdgeFirmware.Mqtt.Tests.Access;

public sealed class QuotaAccountingTests
{
    [Fact]
    public async Task Accounts_are_charged_with_what_the_broker_holds_whatever_clients_do_and_with_nothing_at_the_end()
    {
        long met = 0;
        // A thread without a synchronization context, on which the broker's continuations may run at once.
        await Task.Run(() =>
        {
            for (var seed = 0; seed < 40; seed++)
            {
                using var accounting = new QuotaAccounting(seed);
                try
                {
                    accounting.Run(400);
                }
                catch (InvalidOperationException failure)
                {
                    throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
                }

                met += accounting.Met;
            }
        });
        Assert.InRange(met, 1000, long.MaxValue);
    }
}
