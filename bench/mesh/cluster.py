"""Many agents of one kind, each in a network namespace of its own, and what each says of the others, stamped when its line is read."""
import json
import os
import re
import selectors
import signal
import subprocess
import time

from space import Space


class Agent:
    def __init__(self, number, address):
        self.number, self.address = number, address
        self.name = f'n{number:02}'
        self.process, self.rest, self.started = None, b'', 0.0
        self.view = {}  # name of another: alive or dead

    def sees_all(self, count):
        return sum(status == 'alive' for status in self.view.values()) == count - 1


class Cluster:
    """Half of the agents live in 10.77.1.0/24, half in 10.77.2.0/24: a cut between them is two rules."""
    kind = ''
    line = None

    def __init__(self, count, directory, watch):
        self.count, self.directory, self.watch = count, os.path.join(directory, self.kind), watch
        os.makedirs(self.directory, exist_ok=True)
        self.agents = [Agent(i, f'10.77.{1 if i <= (count + 1) // 2 else 2}.{i}') for i in range(1, count + 1)]
        self.space = Space([agent.address for agent in self.agents])
        self.by_name = {agent.name: agent for agent in self.agents}
        self.events = []  # (instant, observer, subject, status)
        self.restarted_unasked = 0

    # What a kind of agent is.
    def command(self, agent):
        raise NotImplementedError

    def statement(self, line):
        """(subject, status) when the line tells of a member."""
        raise NotImplementedError

    def prepare(self):
        pass

    # Running them.
    def start(self, agent):
        agent.view, agent.rest = {}, b''
        with self.space.machine(agent.address):
            agent.started = time.monotonic()
            agent.process = subprocess.Popen(
                self.command(agent), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment())
        os.set_blocking(agent.process.stdout.fileno(), False)
        self.watch.selector.register(agent.process.stdout, selectors.EVENT_READ, (self, agent))

    def environment(self):
        return {'PATH': os.environ['PATH'], 'HOME': '/'}

    def start_all(self):
        for agent in self.agents:
            self.start(agent)

    def stop_all(self):
        for agent in self.agents:
            if agent.process is not None:
                self.kill(agent)

    def kill(self, agent):
        """SIGKILL; what the agent said before is forgotten."""
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
        self.watch.selector.unregister(agent.process.stdout)
        agent.process.stdout.close()
        agent.process = None

    def pause(self, agent):
        agent.process.send_signal(signal.SIGSTOP)

    def resume(self, agent):
        agent.process.send_signal(signal.SIGCONT)

    def close(self):
        self.stop_all()
        self.space.close()

    # What they say.
    def read(self, agent):
        now = time.monotonic()
        data = agent.process.stdout.read(1 << 16)
        if data == b'':
            self.ended(agent)
            return
        lines = (agent.rest + (data or b'')).split(b'\n')
        agent.rest = lines.pop()
        for line in lines:
            said = self.statement(line)
            if said and said[0] != agent.name and said[0] in self.by_name:
                if said[1] != 'suspect':  # a member still; serf does not say when it trusts one again
                    agent.view[said[0]] = said[1]
                self.events.append((now, agent.name, *said))

    def ended(self, agent):
        """An agent that ends by itself is started again and counted; one that keeps doing so ends the run."""
        self.restarted_unasked += 1
        if self.restarted_unasked > self.count:
            raise RuntimeError(f'{self.kind}: agents keep ending: {agent.rest.decode(errors="replace")}')
        self.kill(agent)
        self.start(agent)

    def all_see_all(self):
        return all(agent.sees_all(self.count) for agent in self.agents)

    def who_knows(self, subject, status, since):
        """When each other agent said it first, after an instant."""
        found = {}
        for instant, observer, about, said in reversed(self.events):
            if instant < since:
                break
            if about == subject.name and said == status:
                found[observer] = instant
        return found

    def deaths(self, since, except_names=()):
        return [event for event in self.events if event[0] >= since and event[3] == 'dead' and event[2] not in except_names]


class Ours(Cluster):
    kind = 'ours'
    line = re.compile(rb'mesh: (n\d\d)/\S+ at \S+ is (\w+):')

    def __init__(self, count, directory, watch, binary, profile=''):
        super().__init__(count, directory, watch)
        self.binary, self.profile = binary, profile

    def path(self, agent, name):
        return os.path.join(self.directory, f'{agent.name}.{name}')

    def prepare(self):
        """A site with certificates. The first start makes a password, which is dear on purpose: it is not what is measured."""
        mesh = {'Seeds': [f'{other.address}:7900' for other in self.agents[:3]]}
        authority = os.path.join(self.directory, 'authority')
        self.site('create', '--dir', authority, '--name', 'bench')
        if self.profile:
            mesh['Profile'] = self.profile
        for agent in self.agents:
            self.site('issue', '--dir', authority, '--node', agent.name, '--data', self.path(agent, 'data'))
            configuration = {
                'Node': {'Name': agent.name}, 'DataDirectory': self.path(agent, 'data'), 'Mqtt': {'Listen': [f'{agent.address}:1883']},
                'Mesh': {'Listen': f'{agent.address}:7900', 'Site': self.path(agent, 'data/site'), **mesh}, 'Engine': {'Socket': self.path(agent, 'no-engine')}}
            with open(self.path(agent, 'json'), 'w', encoding='utf-8') as file:
                json.dump(configuration, file)
        self.start_all()
        self.watch.until(lambda: all(os.path.exists(self.path(agent, 'data/admin.json')) for agent in self.agents), 60, 'every node has started once')
        self.stop_all()

    def site(self, *words):
        subprocess.run([self.binary, 'site', *words], check=True, stdout=subprocess.DEVNULL)

    def command(self, agent):
        return [self.binary, 'run', '--config', self.path(agent, 'json')]

    def statement(self, line):
        found = self.line.search(line)
        if not found:
            return None
        status = found[2].decode().lower()
        return found[1].decode(), 'dead' if status == 'left' else status


class Serf(Cluster):
    kind = 'serf'
    line = re.compile(rb'serf: EventMember(Join|Failed|Leave): (n\d\d) |memberlist: Suspect (n\d\d) has failed')

    def __init__(self, count, directory, watch):
        super().__init__(count, directory, watch)
        self.up = set()

    def start_all(self):
        """An agent whose seeds are not up ends: the first one goes before the others."""
        first = self.agents[0]
        self.up.clear()
        self.start(first)
        self.watch.until(lambda: first.name in self.up, 20, 'the first serf agent is up')
        for agent in self.agents[1:]:
            self.start(agent)

    def command(self, agent):
        joins = [f'-join={other.address}:7946' for other in self.agents[:3] if other is not agent and other.process is not None]
        return ['serf', 'agent', f'-node={agent.name}', f'-bind={agent.address}:7946', '-profile=lan', *joins]

    def statement(self, line):
        found = self.line.search(line)
        if not found:
            return None
        if found[3]:
            return found[3].decode(), 'suspect'
        self.up.add(found[2].decode())
        return found[2].decode(), 'alive' if found[1] == b'Join' else 'dead'


class Watch:
    """Turns: reads what agents say until something holds. One thread, nothing polled."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()

    def turn(self, patience):
        for key, _ in self.selector.select(patience):
            cluster, agent = key.data
            if agent.process is not None and agent.process.stdout is key.fileobj:
                cluster.read(agent)

    def rest(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.turn(left)

    def until(self, holds, seconds, what):
        """When it held first; None after that many seconds."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() >= end:
                print(f'   not within {seconds} s: {what}', flush=True)
                return None
            self.turn(min(0.25, max(0.0, end - time.monotonic())))
        return time.monotonic()
