"""What is measured. Each case returns figures; the report is made of them."""
import heapq
import itertools
import random
import time

SETTLE = 60  # seconds until everybody has to see everybody


class Bench:
    def __init__(self, make, watch, seed, quick):
        """make(kind, count, profile=''): a cluster that is prepared and not started."""
        self.make, self.watch, self.random, self.quick = make, watch, random.Random(seed), quick

    def running(self, kind, count=32, profile=''):
        cluster = self.make(kind, count, profile)
        cluster.start_all()
        if self.watch.until(cluster.all_see_all, SETTLE, f'{kind}: all see all') is None:
            raise RuntimeError(f'{kind}: {count} agents do not find one another')
        return cluster

    def kills(self, how, rounds, each, loss=0.0):
        """Ours and serf in turn; one agent after another dies, and everybody's knowledge is awaited."""
        result = {kind: {'first': [], 'last': [], 'missed': 0, 'false': [], 'seconds': 0.0} for kind in ('ours', 'serf')}
        for turn, kind in itertools.product(range(rounds), ('ours', 'serf')):
            cluster = self.running(kind)
            self.watch.rest(5)
            if loss:
                cluster.space.lose(loss)
                self.watch.rest(5)
            begun, lives = time.monotonic(), []
            for victim in self.random.sample(cluster.agents, each):
                lives.append(self.one_kill(cluster, victim, how, result[kind]))
            result[kind]['seconds'] += time.monotonic() - begun
            result[kind]['false'] += incidents([event for event in cluster.deaths(begun) if not is_true(cluster, event, lives)])
            self.say(f'{how} loss {loss}: {kind} round {turn + 1}: last survivor after {[round(x, 2) for x in result[kind]["last"][-each:]]} s, '
                     f'false deaths {len(result[kind]["false"])}')
            cluster.close()
        return result

    def one_kill(self, cluster, victim, how, result):
        """(name, when it died, when it was started again)."""
        if how == 'silent':
            cluster.space.silence(victim.address)
        died = time.monotonic()
        cluster.kill(victim)
        everybody = cluster.count - 1
        known = self.watch.until(lambda: len(cluster.who_knows(victim, 'dead', died)) == everybody, 90, f'{cluster.kind}: all know that {victim.name} died')
        instants = sorted(cluster.who_knows(victim, 'dead', died).values())
        if known is None:
            result['missed'] += everybody - len(instants)
        if instants:
            result['first'].append(instants[0] - died)
            result['last'].append((instants[-1] if known else time.monotonic()) - died)
        if how == 'silent':
            cluster.space.heal()
        back = time.monotonic()
        cluster.start(victim)
        self.watch.until(lambda: len(cluster.who_knows(victim, 'alive', back)) == everybody and cluster.all_see_all(), SETTLE, f'{cluster.kind}: {victim.name} is back')
        self.watch.rest(3)
        return victim.name, died, back

    def stops(self, seconds, stopped=8):
        """The same agents of both stop at the same instants, beside one another."""
        clusters = [self.running(kind) for kind in ('ours', 'serf')]
        self.watch.rest(5)
        begun = time.monotonic()
        victims = self.random.sample(range(32), stopped)
        agenda = [(begun + self.random.uniform(0.2, 2), number, index, False) for number, index in enumerate(victims)]
        heapq.heapify(agenda)
        order, pauses, end = itertools.count(stopped), 0, begun + seconds
        while agenda:
            instant, _, index, is_stopped = heapq.heappop(agenda)
            if instant >= end and not is_stopped:
                continue
            self.watch.rest(max(0.0, instant - time.monotonic()))
            for cluster in clusters:
                (cluster.resume if is_stopped else cluster.pause)(cluster.agents[index])
            pauses += not is_stopped
            heapq.heappush(agenda, (instant + self.random.uniform(0.2, 4 if is_stopped else 2), next(order), index, not is_stopped))
        self.watch.rest(15)
        result = {}
        for cluster in clusters:
            deaths = cluster.deaths(begun)
            suspicions = [event for event in cluster.events if event[0] >= begun and event[3] == 'suspect']
            result[cluster.kind] = {
                'seconds': seconds, 'stopped': stopped, 'pauses': pauses, 'false': incidents(deaths), 'told': len(deaths),
                'suspected': len(incidents(suspicions)), 'one view after': cluster.all_see_all()}
            self.say(f'stops: {cluster.kind}: {result[cluster.kind]}')
            cluster.close()
        return result

    def join(self, rounds):
        result = {kind: {'first': [], 'last': []} for kind in ('ours', 'serf')}
        for _, kind in itertools.product(range(rounds), ('ours', 'serf')):
            cluster = self.make(kind, 32, '')
            cluster.start_all()
            done = self.watch.until(cluster.all_see_all, SETTLE, f'{kind}: all see all')
            if done is None and kind == 'ours':
                raise RuntimeError('our agents do not find one another')
            if done is None:
                result[kind]['first'].append(None)
                result[kind]['last'].append(None)
                self.say(f'join: {kind}: not all within {SETTLE} s')
                cluster.close()
                continue
            # The moment the last line was read, and not when this was noticed; serf's first agent was up before.
            done = max(event[0] for event in cluster.events)
            begun = [agent.started for agent in cluster.agents[1 if kind == 'serf' else 0:]]
            result[kind]['first'].append(done - min(begun))
            result[kind]['last'].append(done - max(begun))
            self.say(f'join: {kind}: {done - min(begun):.2f} s from the first exec, {done - max(begun):.2f} s from the last')
            cluster.close()
            self.watch.rest(1)
        return result

    def split(self, rounds, seconds):
        """Both are cut at the same time."""
        result = {kind: {'heal': [], 'cut': []} for kind in ('ours', 'serf')}
        for _ in range(rounds):
            clusters = [self.running(kind) for kind in ('ours', 'serf')]
            self.watch.rest(5)
            cut = time.monotonic()
            for cluster in clusters:
                cluster.space.split()
            self.watch.rest(seconds)
            for cluster in clusters:
                halves = sum(event[3] == 'dead' for event in cluster.events if event[0] >= cut)
                result[cluster.kind]['cut'].append(halves)
            healed = time.monotonic()
            for cluster in clusters:
                cluster.space.heal()
            self.watch.until(lambda: all(cluster.all_see_all() for cluster in clusters), 180, 'one view')
            for cluster in clusters:
                last = max((event[0] for event in cluster.events if event[0] >= healed and event[3] == 'alive'), default=healed)
                result[cluster.kind]['heal'].append(last - healed if cluster.all_see_all() else None)
                self.say(f'split: {cluster.kind}: one view after {result[cluster.kind]["heal"][-1]} s')
                cluster.close()
        return result

    def traffic(self, settle, seconds, profile=''):
        clusters = [self.running('ours', profile=profile)] + ([] if profile else [self.running('serf')])
        self.watch.rest(settle)
        before, begun = [cluster.space.sent() for cluster in clusters], time.monotonic()
        self.watch.rest(seconds)
        took, result = time.monotonic() - begun, {}
        for cluster, first in zip(clusters, before):
            after = cluster.space.sent()
            share = {protocol: [(after[protocol][i] - first[protocol][i]) / took / cluster.count for i in (0, 1)] for protocol in after}
            result[cluster.kind] = {
                'seconds': took, 'bytes': sum(v[0] for v in share.values()), 'packets': sum(v[1] for v in share.values()),
                'udp': share['udp'][0], 'tcp': share['tcp'][0]}
            self.say(f'traffic {profile or "Lan"}: {cluster.kind}: {result[cluster.kind]}')
            cluster.close()
        return result

    @staticmethod
    def say(text):
        print(f'   {text}', flush=True)


def is_true(cluster, event, lives):
    """A death that happened, told before its observer had heard that the agent lives again."""
    instant, observer, subject, _ = event
    for name, died, back in lives:
        if name == subject and died <= instant:
            heard = [t for t, o, about, status in cluster.events if o == observer and about == name and status == 'alive' and back <= t < instant]
            if instant < back or not heard:
                return True
    return False


def incidents(deaths):
    """A death that many tell of within ten seconds is one: (subject, how many told)."""
    found = []
    for instant, _, subject, _ in sorted(deaths):
        near = next((one for one in found if one['who'] == subject and instant - one['last'] < 10), None)
        if near is None:
            found.append({'who': subject, 'last': instant, 'told': 1})
        else:
            near['last'], near['told'] = instant, near['told'] + 1
    return [{'who': one['who'], 'told': one['told']} for one in found]
