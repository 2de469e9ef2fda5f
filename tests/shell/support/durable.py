#!/usr/bin/env python3
"""Kills a node in the middle of MQTT traffic and checks what comes back.

    durable.py BINARY sweep FIRST STEP COUNT   SIGKILL at durable system call FIRST, FIRST+STEP, ... by strace, COUNT times or to the end
    durable.py BINARY fault FIRST STEP COUNT   EIO or ENOSPC at such a call and the two after it; then SIGKILL
    durable.py BINARY kill COUNT               SIGKILL at random moments
    durable.py BINARY full DIRECTORY           the directory is on a small file system that fills up

A publisher and a subscriber with persistent sessions behave as clients do: each keeps its own half of the state, repeats what was not
acknowledged and ignores what it had. At the end of each round every acknowledged message must have come, QoS 2 exactly once.
Prints "ok - ..." or "not ok - ..." lines.
"""
import fcntl, json, os, random, shutil, signal, socket, struct, subprocess, sys, tempfile, time

CALLS = 'write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate,fallocate'
# Enough for several logs and a snapshot.
ROUNDS, FILLER = 90, 'x' * 120_000


def field(text):
    data = text.encode()
    return struct.pack('>H', len(data)) + data


def packet(first, body):
    size, length = len(body), b''
    while True:
        length += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if not size:
            return bytes([first]) + length + body


class Client:
    """One connection of MQTT 5."""

    def __init__(self, port, name):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=20)
        self.buffer = b''
        self.send(packet(0x10, field('MQTT') + b'\x05\x00\x00\x00' + b'\x05\x11\x00\x00\x0e\x10' + field(name)))
        first, body = self.receive()
        if body[1] == 0x97:
            raise ConnectionResetError('no room for a session now')
        assert first == 0x20 and body[1] == 0, f'CONNACK {body!r}'
        self.present = body[0] == 1

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        while True:
            size = shift = 0
            for at, byte in enumerate(self.buffer[1:5], 2):
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    if len(self.buffer) >= at + size:
                        first, body = self.buffer[0], self.buffer[at:at + size]
                        self.buffer = self.buffer[at + size:]
                        return first, body
                    break
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError('closed')
            self.buffer += data

    def close(self):
        self.socket.close()


class Node:
    def __init__(self, binary, directory, strace=None):
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        config = os.path.join(directory, 'config.json')
        with open(config, 'w') as file:
            json.dump({'Node': {'Name': 'crash'}, 'DataDirectory': os.path.join(directory, 'data'), 'Engine': {'Socket': '/nonexistent'},
                       'Mqtt': {'Listen': [f'127.0.0.1:{self.port}'], 'AllowAnonymous': True}}, file)
        self.log = open(os.path.join(directory, 'log'), 'ab')
        self.process = subprocess.Popen((strace or []) + [binary, 'run', '--config', config], stdout=self.log, stderr=self.log, start_new_session=True)

    def connect(self, name):
        deadline = time.monotonic() + 30
        while True:
            try:
                return Client(self.port, name)
            except (ConnectionRefusedError, ConnectionResetError):
                if self.process.poll() is not None:
                    raise ConnectionError('the node is gone')
                if time.monotonic() > deadline:
                    raise TimeoutError('the node does not listen')
                time.sleep(0.01)

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        # Killed by strace, or with it, it may end a moment later; until then it holds its data.
        if os.path.isdir(os.path.join(self.directory, 'data')):
            with open(os.path.join(self.directory, 'data', 'lock'), 'ab') as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
        self.log.close()


class Traffic:
    """What both clients know, which outlives their connections and the node."""

    def __init__(self):
        self.next = 0
        self.unacknowledged = None  # (packet id, qos, number, 'publish' | 'release')
        self.acknowledged = {1: set(), 2: set()}
        self.retained = self.retained_tried = -1
        self.had_session = {'s': False, 'p': False}
        self.subscribed = False
        self.pending = set()  # QoS 2 ids received and not released
        self.got = {1: {}, 2: {}}
        self.lag = []

    def attach(self, node, name):
        client = node.connect(name)
        assert client.present or not self.had_session[name], f'the session of {name} is lost'
        self.had_session[name] = True
        return client

    def on_packet(self, client, first, body, lag):
        kind = first >> 4
        if kind == 3:
            qos, size = first >> 1 & 3, struct.unpack('>H', body[:2])[0]
            packet_id = struct.unpack('>H', body[2 + size:4 + size])[0]
            number = int(body[5 + size:].split(b' ')[0])
            if qos == 1 or packet_id not in self.pending:
                self.got[qos][number] = self.got[qos].get(number, 0) + 1
            if qos == 2:
                self.pending.add(packet_id)
            self.lag.append(packet(0x40 if qos == 1 else 0x50, struct.pack('>H', packet_id)))
        elif kind == 6:
            packet_id = struct.unpack('>H', body[:2])[0]
            self.pending.discard(packet_id)
            self.lag.append(packet(0x70, struct.pack('>H', packet_id)))
        while len(self.lag) > lag:
            client.send(self.lag.pop(0))

    def publish(self, client):
        if self.unacknowledged is None:
            self.next += 1
            self.unacknowledged = (self.next % 60000 + 1, 1 + self.next % 2, self.next, 'publish')
            duplicate = 0
        else:
            duplicate = 8
        packet_id, qos, number, state = self.unacknowledged
        answer = {'publish': 4 if qos == 1 else 5, 'release': 7}[state]
        if state == 'publish':
            payload = f'{number} {FILLER if qos == 1 else ""}'.encode()
            client.send(packet(0x30 | duplicate | qos << 1, field(f'q{qos}/x') + struct.pack('>H', packet_id) + b'\0' + payload))
        else:
            client.send(packet(0x62, struct.pack('>H', packet_id)))
        while True:
            first, body = client.receive()
            if first >> 4 == answer and struct.unpack('>H', body[:2])[0] == packet_id:
                break
        if state == 'publish' and len(body) > 2 and body[2] == 0x97:
            time.sleep(0.05)
            self.publish(client)
            return
        assert len(body) < 3 or body[2] < 0x80 or (answer == 7 and body[2] == 0x92), f'refused: {body!r}'
        if answer == 5:
            self.acknowledged[2].add(number)
            self.unacknowledged = (packet_id, qos, number, 'release')
            self.publish(client)
            return
        self.acknowledged[qos].add(number)
        self.unacknowledged = None

    def retain(self, client):
        self.retained_tried = self.next
        while True:
            client.send(packet(0x33, field('kept') + b'\xff\xff\0' + str(self.next).encode()))
            first, body = client.receive()
            while first >> 4 != 4:
                first, body = client.receive()
            if len(body) < 3 or body[2] != 0x97:
                break
            time.sleep(0.05)
        self.retained = self.next

    def run(self, node, rounds, lag):
        subscriber, publisher = self.attach(node, 's'), None
        try:
            self.lag = []
            while not self.subscribed:
                subscriber.send(packet(0x82, b'\0\1\0' + field('q1/#') + b'\1' + field('q2/#') + b'\2'))
                while True:
                    first, body = subscriber.receive()
                    if first >> 4 == 9:
                        break
                    self.on_packet(subscriber, first, body, lag)
                if 0x97 in body[3:]:
                    time.sleep(0.05)
                    continue
                assert body[3:] == b'\1\2', f'SUBACK {body!r}'
                self.subscribed = True
            publisher = self.attach(node, 'p')
            for _ in range(rounds):
                self.publish(publisher)
                self.pump(subscriber, lag)
                if self.next % 5 == 0:
                    self.retain(publisher)
            return subscriber
        finally:
            if publisher:
                publisher.close()

    def pump(self, subscriber, lag):
        subscriber.socket.settimeout(0.002)
        try:
            while True:
                self.on_packet(subscriber, *subscriber.receive(), lag)
        except TimeoutError:
            pass
        finally:
            subscriber.socket.settimeout(20)

    def finish(self, node):
        """The node that came back has to give everything that was ever acknowledged."""
        subscriber = self.run(node, 6, 0)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            self.pump(subscriber, 0)
            if not self.pending and all(number in self.got[qos] for qos in (1, 2) for number in self.acknowledged[qos]):
                break
        lost = {qos: sorted(self.acknowledged[qos] - set(self.got[qos])) for qos in (1, 2)}
        doubled = [number for number, times in self.got[2].items() if times > 1]
        assert not lost[1] and not lost[2], f'lost {lost}'
        assert not doubled, f'QoS 2 came more than once: {doubled}'
        reader = Client(node.port, f'r{time.monotonic_ns()}')
        reader.send(packet(0x82, b'\0\1\0' + field('kept') + b'\0'))
        if self.retained >= 0:
            while True:
                first, body = reader.receive()
                if first >> 4 == 3:
                    value = int(body[7:])
                    break
            assert self.retained <= value <= self.retained_tried, f'retained {value}, acknowledged {self.retained}'
        reader.close()
        subscriber.close()


def one(binary, template, strace=None, after=None, rounds=ROUNDS):
    """True when the node was killed on the way."""
    with tempfile.TemporaryDirectory(prefix='edge-crash-') as directory:
        shutil.copytree(template, os.path.join(directory, 'data'))
        traffic, killed = Traffic(), False
        node = Node(binary, directory, strace)
        timer = None
        if after is not None:
            # Sent by another process, so that it hits at any point of the traffic.
            timer = subprocess.Popen(['sh', '-c', f'sleep {after:.3f}; kill -9 {node.process.pid}'], stderr=subprocess.DEVNULL)
        try:
            traffic.run(node, rounds, 3).close()
            node.kill()
        except (ConnectionError, TimeoutError, BrokenPipeError, OSError):
            killed = True
            if timer:
                timer.wait()
            node.kill()
        if timer:
            timer.wait()
        node = Node(binary, directory)
        try:
            traffic.finish(node)
        except Exception:
            with open(os.path.join(directory, 'log'), errors='replace') as log:
                print(log.read()[-3000:], file=sys.stderr)
            raise
        finally:
            node.kill()
        return killed


def prepare(binary, directory):
    """A data directory after a first start, so that identity and credential are not what is swept."""
    node = Node(binary, directory)
    node.connect('first').close()
    deadline = time.monotonic() + 20
    made = [os.path.join(directory, 'data', name) for name in ('identity.json', 'admin.json')]
    while not all(map(os.path.exists, made)) and time.monotonic() < deadline:
        time.sleep(0.01)
    node.kill()
    template = os.path.join(directory, 'template')
    shutil.copytree(os.path.join(directory, 'data'), template, ignore=lambda _, names: [name for name in names if name.endswith('.sock')])
    return template


def report(what, failures, rounds, hits):
    for failure in failures[:5]:
        print(f'# {failure}')
    print(f'{"not ok" if failures or not hits else "ok"} - {what}: {rounds} rounds, {hits} kills, {len(failures)} with a loss or a duplicate')


def sweep(binary, first, step, count):
    failures, rounds, hits = [], 0, 0
    with tempfile.TemporaryDirectory(prefix='edge-crash-') as directory:
        template = prepare(binary, directory)
        for n in range(first, first + step * count, step):
            rounds += 1
            try:
                strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={CALLS}', '-e', f'inject={CALLS}:signal=SIGKILL:when={n}']
                if not one(binary, template, strace):
                    break
                hits += 1
            except (AssertionError, OSError) as failure:
                failures.append(f'call {n}: {failure}')
    report('killed at each durable system call', failures, rounds, hits)


def faults(binary, first, step, count):
    failures, rounds = [], 0
    calls = 'pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,ftruncate,fallocate'
    with tempfile.TemporaryDirectory(prefix='edge-crash-') as directory:
        template = prepare(binary, directory)
        for n in range(first, first + step * count, step):
            error = ('EIO', 'ENOSPC')[n % 2]
            rounds += 1
            try:
                strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={calls}', '-e', f'inject={calls}:error={error}:when={n}..{n + 2}']
                assert not one(binary, template, strace), 'the node ended'
            except (AssertionError, OSError) as failure:
                failures.append(f'{error} at call {n}: {failure}')
    report('the disk fails three times running, at each call', failures, rounds, rounds)


def kills(binary, count):
    failures, hits, seed = [], 0, random.randrange(1 << 30)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix='edge-crash-') as directory:
        template = prepare(binary, directory)
        for number in range(count):
            try:
                hits += one(binary, template, after=chance.uniform(0.05, 1.0), rounds=1 << 20)
            except (AssertionError, OSError) as failure:
                failures.append(f'seed {seed}, round {number}: {failure}')
    report('killed at random moments', failures, count, hits)


def full(binary, directory):
    node = Node(binary, directory)
    try:
        subscriber = node.connect('s')
        subscriber.send(packet(0x82, b'\0\1\0' + field('q/#') + b'\1'))
        subscriber.receive()
        subscriber.close()
        publisher, accepted, refused, payload = node.connect('p'), 0, False, b'x' * 50_000
        for number in range(1, 1000):
            publisher.send(packet(0x32, field('q/x') + struct.pack('>H', number) + b'\0' + payload))
            _, body = publisher.receive()
            if len(body) > 2 and body[2] == 0x97:
                refused = True
                break
            accepted += 1
        assert refused and accepted > 20, f'{accepted} accepted'
        publisher.close()
        node.kill()
        node = Node(binary, directory)
        subscriber, got = node.connect('s'), 0
        assert subscriber.present
        while got < accepted:
            first, body = subscriber.receive()
            if first >> 4 == 3:
                got += 1
                subscriber.send(packet(0x40, body[5:7]))
        publisher, deadline = node.connect('p'), time.monotonic() + 20
        while True:
            publisher.send(packet(0x32, field('q/x') + b'\0\1\0' + payload))
            _, body = publisher.receive()
            if len(body) < 3 or body[2] < 0x80:
                break
            assert time.monotonic() < deadline, 'it does not recover'
            time.sleep(0.1)
        print(f'ok - on a full disk publishers get 0x97, {accepted} accepted messages came after a kill, and it recovers')
    except (AssertionError, OSError) as failure:
        with open(os.path.join(directory, 'log'), errors='replace') as log:
            print(log.read()[-3000:], file=sys.stderr)
        print(f'not ok - a full disk: {failure!r}')
    finally:
        node.kill()


if __name__ == '__main__':
    program, what, *rest = sys.argv[1:]
    {'sweep': lambda: sweep(program, *map(int, rest)), 'fault': lambda: faults(program, *map(int, rest)), 'kill': lambda: kills(program, int(rest[0])), 'full': lambda: full(program, rest[0])}[what]()
