using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// All rules that hold for one client, compiled. A topic is allowed when a rule allows it and none denies it. A filter is allowed when one rule
/// allows every topic it covers and none denies any of them, so nothing has to be asked again when messages are delivered. Immutable.
/// </summary>
public sealed class TopicRules
{
    public static readonly TopicRules AllowAll = new([TopicRule.AllowAll], string.Empty, string.Empty);

    private readonly Side _read;
    private readonly Side _write;
    private readonly Side _retain;

    /// <param name="clientId">Empty for a client that has none of its own: then <c>%c</c> covers nothing.</param>
    public TopicRules(IReadOnlyCollection<TopicRule> rules, string user, string clientId)
    {
        _read = new Side(rules, TopicRights.Read, user, clientId);
        _write = new Side(rules, TopicRights.Write, user, clientId);
        _retain = new Side(rules, TopicRights.Retain, user, clientId);
    }

    public bool MayWrite(string topic) => _write.Allows(topic);

    /// <summary>The right to set the retain flag, besides <see cref="MayWrite"/>.</summary>
    public bool MayRetain(string topic) => _retain.Allows(topic);

    /// <param name="filter">A valid filter, with <c>$share/group/</c> where used.</param>
    public bool MaySubscribe(string filter) => SharedFilter.TryParse(filter, out var parsed) && _read.AllowsAll(parsed.Filter);

    /// <summary>What the rules say of one right.</summary>
    private sealed class Side
    {
        private readonly TopicPattern[] _allowed;
        private readonly TopicPattern[] _denied;

        /// <summary>All but "$" topics, without a look at the rules.</summary>
        private readonly bool _isFree;

        public Side(IReadOnlyCollection<TopicRule> rules, TopicRights right, string user, string clientId)
        {
            _allowed = Compile(rules.Where(rule => rule.IsAllowed && (rule.Rights & right) != 0), user, clientId);
            _denied = Compile(rules.Where(rule => !rule.IsAllowed && (rule.Rights & right) != 0), user, clientId);
            _isFree = _denied.Length == 0 && Array.Exists(_allowed, pattern => pattern.CoversAll);
        }

        public bool Allows(string topic)
        {
            if (_isFree && !topic.StartsWith('$')) return true;
            foreach (var pattern in _denied)
            {
                if (pattern.Matches(topic)) return false;
            }

            foreach (var pattern in _allowed)
            {
                if (pattern.Matches(topic)) return true;
            }

            return false;
        }

        public bool AllowsAll(string filter) =>
            !Array.Exists(_denied, pattern => pattern.Overlaps(filter)) && Array.Exists(_allowed, pattern => pattern.Covers(filter));

        private static TopicPattern[] Compile(IEnumerable<TopicRule> rules, string user, string clientId) =>
            [.. rules.Select(rule => TopicPattern.Of(rule, user, clientId)).OfType<TopicPattern>()];
    }
}
