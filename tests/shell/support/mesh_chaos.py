"""Twenty real nodes that die, stall, are cut in two and have their clocks jump; see ../mesh-chaos.sh. Prints "ok", "not ok" and "skip" lines."""
import glob
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'bench', 'mesh'))
from cluster import Ours, Watch  # noqa: E402

NODES, BOUND = 20, 5.0  # members; seconds after a heal until everybody is right
WITH_ENGINE = (1, 2, 20)  # of both halves
YEAR = 365 * 24 * 3600


class Site(Ours):
    """Some nodes have a real engine; all live by a wall clock that a file shifts."""

    def __init__(self, directory, watch, binary):
        super().__init__(NODES, directory, watch, binary)
        self.clock = os.path.join(directory, 'clock')
        self.shift(0)
        found = glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1')
        self.faketime = found[0] if found else ''
        self.engines, self.groups = {}, []

    def shift(self, seconds):
        with open(self.clock + '.new', 'w', encoding='ascii') as file:
            file.write(f'{seconds:+d}')
        os.rename(self.clock + '.new', self.clock)

    def environment(self):
        """Only the wall clock: with its fix for old C libraries, timed waits of the monotonic clock end at once, and the node spins."""
        if not self.faketime:
            return super().environment()
        return {**super().environment(), 'LD_PRELOAD': self.faketime, 'FAKETIME_TIMESTAMP_FILE': self.clock, 'FAKETIME_CACHE_DURATION': '1',
                'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'FAKETIME_FORCE_MONOTONIC_FIX': '0'}

    def path(self, agent, name):
        return self.engines[agent.number] if name == 'no-engine' and agent.number in self.engines else super().path(agent, name)

    def command(self, agent):
        """With an engine: in a CPU quota of its own, as on a board. Otherwise twenty nodes on one machine make one another too busy for work."""
        command = super().command(agent)
        if agent.number not in self.engines:
            return command
        groups = self.quota(f'edge-chaos-{os.getpid()}-{os.path.basename(os.path.dirname(self.directory))[-8:]}-{agent.name}')
        return ['sh', '-c', 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"', 'sh', *groups, '--', *command]

    def quota(self, name):
        root = '/sys/fs/cgroup'
        second = os.path.exists(f'{root}/cgroup.controllers')
        groups = [f'{root}/{name}'] if second else [f'{root}/cpu/{name}', f'{root}/cpuacct/{name}']
        values = [('cpu.max', '100000 100000')] if second else [('cpu.cfs_period_us', '100000'), ('cpu.cfs_quota_us', '100000')]
        if second:
            write(f'{root}/cgroup.subtree_control', '+cpu')
        for group in groups:
            os.makedirs(group, exist_ok=True)
        for file, value in values:
            write(f'{groups[0]}/{file}', value)
        self.groups += [group for group in groups if group not in self.groups]
        return groups

    def take_down(self):
        self.stop_all()
        for number in self.engines:
            containers = self.docker(number, 'ps', '-aq').stdout.split()
            if containers:
                self.docker(number, 'rm', '-f', *containers)
        for group in self.groups:
            os.rmdir(group)

    # Engines, each with a bridge of its own.
    def start_engines(self):
        """Why there are none; empty when they answer and have the image."""
        if not shutil.which('dockerd') or not os.path.exists('/bin/busybox'):
            return 'dockerd or a static busybox is missing'
        image = self.make_image()
        for number in WITH_ENGINE:
            home = os.path.join(self.directory, f'engine{number}')
            os.makedirs(home)
            with self.space.machine(self.agents[number - 1].address):
                for words in (f'link add edge{number} type bridge', f'addr add 172.29.{number}.1/24 dev edge{number}', f'link set edge{number} up'):
                    subprocess.run(['ip', *words.split()], check=True)
                with open(os.path.join(home, 'log'), 'wb') as log:
                    subprocess.Popen(
                        ['dockerd', '-H', f'unix://{home}/sock', '--data-root', f'{home}/data', '--exec-root', f'{home}/exec', '--pidfile', f'{home}/pid',
                         '--bridge', f'edge{number}', '--iptables=false', '--ip6tables=false', '--ip-masq=false', '--exec-opt', 'native.cgroupdriver=cgroupfs'],
                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.engines[number] = f'{home}/sock'
        for number, socket in self.engines.items():
            end = time.monotonic() + 40
            while self.docker(number, 'version').returncode:
                if time.monotonic() > end:
                    self.engines.clear()
                    with open(os.path.join(os.path.dirname(socket), 'log'), encoding='utf-8', errors='replace') as log:
                        return f'an engine does not start: {log.read()[-300:]!r}'
                time.sleep(0.2)
            self.docker(number, 'load', '-i', image, check=True)
        return ''

    def make_image(self):
        tree, archive = os.path.join(self.directory, 'image'), os.path.join(self.directory, 'image.tar')
        os.makedirs(os.path.join(tree, 'bin'))
        shutil.copy('/bin/busybox', os.path.join(tree, 'bin', 'busybox'))
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'image.py')
        subprocess.run([sys.executable, '-B', script, tree, 'chaos:1', archive], check=True)
        return archive

    def docker(self, number, *words, check=False):
        return subprocess.run(['docker', '-H', f'unix://{self.engines[number]}', *words], capture_output=True, text=True, check=check)

    def copies(self):
        """Containers that run, by engine."""
        return {number: self.docker(number, 'ps', '-q', '--no-trunc').stdout.split() for number in self.engines}

    def books(self):
        """What every node says of the site's workloads: (id, node, epoch, state)."""
        said = {}
        for agent in self.agents:
            out = subprocess.run([self.binary, 'workloads', '--json', '--config', self.path(agent, 'json')], capture_output=True, text=True, check=False, timeout=20)
            said[agent.name] = tuple(sorted((one['id'], one['node'], one['epoch']) for one in json.loads(out.stdout))) if out.returncode == 0 else out.stderr
        return said


class Chaos:
    def __init__(self, site, watch, seed):
        self.site, self.watch, self.random, self.failed = site, watch, random.Random(seed), 0

    def tell(self, good, what):
        print(f'{"ok" if good else "not ok"} - {what}', flush=True)
        self.failed += not good

    def right(self, since, what):
        """Everybody who lives sees everybody who lives, within the bound after an instant."""
        done = self.watch.until(self.site.all_see_all, max(BOUND, 60 - (time.monotonic() - since)), what)
        last = max((event[0] for event in self.site.events if event[0] >= since), default=since)
        took = last - since
        self.tell(done is not None and took <= BOUND, f'{what}: membership right everywhere within {BOUND:.0f} s ({"never" if done is None else f"{took:.1f} s"})')

    def no_deaths(self, since, names, what):
        wrong = sorted({event[2] for event in self.site.deaths(since, names)})
        self.tell(not wrong, f'{what}: nobody else is told dead{": " + " ".join(wrong) if wrong else ""}')

    def some(self, count):
        """Always one with an engine among them."""
        first = self.random.choice([agent for agent in self.site.agents if agent.number in WITH_ENGINE])
        return [first, *self.random.sample([agent for agent in self.site.agents if agent is not first], count - 1)]

    def kills(self):
        victims = self.some(3)
        names, died = {agent.name for agent in victims}, time.monotonic()
        for agent in victims:
            self.site.kill(agent)
        others = self.site.count - len(victims)
        known = self.watch.until(lambda: all(len(set(self.site.who_knows(v, 'dead', died)) - names) == others for v in victims), 30, 'deaths are known')
        self.tell(known is not None, f'kill -9 of 3: all {others} others know ({"not within 30 s" if known is None else f"{known - died:.1f} s"})')
        self.no_deaths(died, names, 'kill -9 of 3')
        back = time.monotonic()
        for agent in victims:
            self.site.start(agent)
        self.right(back, 'the killed are back')

    def stalls(self, seconds):
        victims = self.some(3)
        stopped = time.monotonic()
        for agent in victims:
            self.site.pause(agent)
        self.watch.rest(seconds)
        resumed = time.monotonic()
        for agent in victims:
            self.site.resume(agent)
        self.right(resumed, f'SIGSTOP of 3 for {seconds} s')
        self.no_deaths(stopped, {agent.name for agent in victims}, f'SIGSTOP of 3 for {seconds} s')

    def partition(self, seconds):
        """At least so long, and until each half has given up the other."""
        cut = time.monotonic()
        self.site.space.split()
        self.watch.rest(seconds)
        told = self.watch.until(self.halved, 40, 'each half gives up the other')
        healed = time.monotonic()
        self.site.space.heal()
        self.tell(told is not None, f'cut 10/10: each half gives up the other ({"not" if told is None else "within"} {healed - cut:.0f} s)')
        self.right(healed, f'cut 10/10 for {healed - cut:.0f} s')

    def halved(self):
        return all(sum(status == 'dead' for status in agent.view.values()) == NODES // 2 for agent in self.site.agents)

    def clocks(self):
        if not self.site.faketime:
            print('skip - clock jumps: libfaketime is missing (apt-get install libfaketime)', flush=True)
            return
        for jump in (YEAR, -YEAR):
            begun = time.monotonic()
            self.site.shift(jump)
            self.watch.rest(4)
            self.tell(self.site.all_see_all(), f'clocks jump to {jump:+d} s: membership right everywhere')
            self.no_deaths(begun, set(), f'clocks jump to {jump:+d} s')
        self.site.shift(0)
        self.watch.rest(1)

    def deploy(self):
        spec = os.path.join(self.site.directory, 'spec.json')
        with open(spec, 'w', encoding='utf-8') as file:
            json.dump({'user': 'chaos', 'name': 'sleeper', 'image': 'chaos:1', 'command': ['sleep', '100000'], 'stopSeconds': 1}, file)
        end = time.monotonic() + 30
        while True:
            out = subprocess.run([self.site.binary, 'deploy', spec, '--config', self.site.path(self.site.by_name['n01'], 'json')], capture_output=True, text=True, check=False)
            if out.returncode == 0 or time.monotonic() > end:
                break
            self.watch.rest(0.5)  # offers are still on their way
        self.tell(out.returncode == 0, f'a workload is deployed{": " + out.stderr.strip() if out.returncode else ""}')

    def account(self, what):
        """One record everywhere, one copy anywhere."""
        begun, books, copies = time.monotonic(), {}, {}
        while time.monotonic() < begun + 60:
            copies = self.site.copies()
            if sum(map(len, copies.values())) == 1:
                books = self.site.books()
                if len(set(books.values())) == 1 and len(next(iter(books.values()))) == 1:
                    break
            self.watch.rest(0.5)
        running = sum(map(len, copies.values()))
        self.tell(running == 1, f'{what}: one copy of the workload runs ({running})')
        versions = set(books.values())
        self.tell(len(versions) == 1 and len(next(iter(versions))) == 1, f'{what}: all {NODES} nodes tell of one owner at one epoch ({time.monotonic() - begun:.0f} s, {versions})')


def write(path, text):
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    binary, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    print(f'seed {seed}', flush=True)
    work, watch = tempfile.mkdtemp(prefix='edge-mesh-chaos-'), Watch()
    site = None
    try:
        site = Site(work, watch, binary)
        missing = site.start_engines()
        if missing:
            print(f'skip - workloads under faults: {missing}', flush=True)
        site.prepare()
        begun = time.monotonic()
        site.start_all()
        chaos = Chaos(site, watch, seed)
        chaos.right(begun, f'{NODES} nodes start together')
        if not missing:
            chaos.deploy()
            chaos.account('after deployment')
        for turn in itertools.count(1):
            for fault, *values in ((chaos.kills,), (chaos.stalls, 10), (chaos.partition, 12), (chaos.clocks,)):
                fault(*values)
                watch.rest(1)
            if not missing:
                chaos.account(f'after round {turn}')
            if turn == rounds:
                break
        chaos.tell(site.restarted_unasked == 0, f'no node ends by itself ({site.restarted_unasked})')
    finally:
        if site is not None:
            site.take_down()
        subprocess.run(f"awk -v d={work}/ 'index($2, d) == 1 {{ print $2 }}' /proc/mounts | sort -r | xargs -r umount -l", shell=True, check=False)
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if chaos.failed else 0)


if __name__ == '__main__':
    main()
