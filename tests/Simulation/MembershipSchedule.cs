using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Simulation;

/// <summary>One random life of a mesh: nodes are killed, lose power, stop and go on, links lose, double and reorder, break one way or both; then
/// everything heals. The seed decides all of it.</summary>
public sealed class MembershipSchedule
{
    private const int Steps = 30;

    /// <summary>After healing: one view, and nobody wrong about anybody.</summary>
    private const double SettlingSeconds = 20;

    /// <summary>An idle node may send this much; while views are mended it sends more.</summary>
    private const double IdleBytesPerSecondMax = 300;

    private readonly Random _random;
    private readonly SimulatedMesh _mesh;
    private readonly int _nodes;
    private readonly string _seed;

    public MembershipSchedule(int seed)
    {
        _seed = $"seed {seed}";
        _random = new Random(seed);
        _nodes = _random.Next(2, 24);
        _mesh = new SimulatedMesh(_random.Next(), MembershipProfile.Lan);
    }

    /// <returns>What was violated; empty when everything held.</returns>
    public string Run()
    {
        _mesh.Add(_nodes);
        if (!_mesh.RunUntil(_mesh.IsOneView, SettlingSeconds))
            return $"{_seed}: {_nodes} nodes did not join";
        for (var step = 0; step < Steps; step++)
        {
            Disturb();
            _mesh.Run(_random.Next(3) == 0 ? 8 * _random.NextDouble() : _random.NextDouble());
        }
        Heal();
        if (!_mesh.RunUntil(_mesh.IsOneView, SettlingSeconds))
            return $"{_seed}: {_nodes} nodes, not one view {SettlingSeconds} s after everything healed";
        _mesh.Run(SettlingSeconds);
        _mesh.Changes.Clear();
        var before = _mesh.Stations.Sum(station => station.BytesSent);
        _mesh.Run(60);
        if (_mesh.Changes.Find(change => change.What.Status == MemberStatus.Dead) is { What: not null } wrong)
            return $"{_seed}: {wrong.By.Name} takes {wrong.What.Id.Name} for dead though nothing is wrong: {wrong.What.Why}";
        var idle = (_mesh.Stations.Sum(station => station.BytesSent) - before) / 60.0 / _nodes;
        return idle <= IdleBytesPerSecondMax ? "" : $"{_seed}: {idle:0} B/s a node while nothing happens";
    }

    private void Disturb()
    {
        var number = 1 + _random.Next(_nodes);
        var station = _mesh[number];
        var other = Samples.Node(1 + _random.Next(_nodes));
        switch (_random.Next(11))
        {
            case 0 when station.Core is not null:
                _mesh.Kill(number);
                break;
            case 1 when station.Core is not null:
                _mesh.Crash(number);
                break;
            case 2 when station.Core is not null && station.Paused is null:
                _mesh.Leave(number);
                break;
            case 3 or 4 when station.Core is null:
                _mesh.Start(number);
                break;
            case 5 when station.Core is not null:
                _mesh.Pause(number);
                break;
            case 6:
                _mesh.Resume(number);
                break;
            case 7:
                _mesh.Links.Partition(Enumerable.Range(1, _nodes).Where(_ => _random.Next(2) == 0).Select(Samples.Node));
                break;
            case 8:
                _mesh.Links.CutOneWay(station.Id, other);
                break;
            case 9:
                _mesh.Links.Heal();
                break;
            default:
                _mesh.Links.Loss = 0.4 * _random.NextDouble() * _random.Next(2);
                _mesh.Links.Duplication = 0.3 * _random.NextDouble() * _random.Next(2);
                _mesh.Links.Reordering = 0.2 * _random.NextDouble() * _random.Next(2);
                break;
        }
    }

    private void Heal()
    {
        _mesh.Links.Heal();
        (_mesh.Links.Loss, _mesh.Links.Duplication, _mesh.Links.Reordering) = (0, 0, 0);
        for (var number = 1; number <= _nodes; number++)
        {
            _mesh.Resume(number);
            if (_mesh[number].Core is null)
                _mesh.Start(number);
        }
    }
}
