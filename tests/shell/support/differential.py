#!/usr/bin/env python3
"""Gives the same packets to two brokers, ours and mosquitto, and compares what every client sees.

    differential.py BINARY [--seed N] [--count STREAMS] [--show]

A stream is some thirty operations of four clients, all from its seed. After each operation every client waits until both brokers have said all they
have to say: a PINGRESP comes after everything that was due before. Prints "ok - ..." or "not ok - ..." lines; --show prints every operation.

What is not compared, because the specification leaves it to the server (sentences of MQTT 5; 3.1.1 has the same):
- Packet ids, properties of CONNACK, reason strings.                              3.2.2.3: what a server announces is its own
- 0x10 instead of 0x00 in an acknowledgement.                                     3.4.2.1: "the Server MAY use" it
- One copy or one for each of several matching subscriptions, and so their identifiers: the copies of a message are put together to one with
  the highest QoS and all identifiers.                                            MQTT-3.3.4-2, 3.3.4
- Order among topics; the order of a topic is compared.                           MQTT-4.6.0-6 asks for no more
- Retained messages before or after SUBACK.                                       3.8.4: the server may begin before it
- Whether a message of QoS 0 waits for a client that is away.                     3.1.2.11.2 of 5, 3.1.2.4 of 3.1.1: "MAY"
- Seconds of a message expiry, of which 1000 are given.                           3.3.2.3.3
- Order of properties other than user properties.                                 2.2.2.2: it has no significance
- Identical identifiers in one PUBLISH.                                            3.3.4: "multiple identical" ones mean as many subscriptions
- DISCONNECT before the end of a connection.                                      4.13.1: the server "MAY send" it

Where mosquitto 2.0.11 does other than the specification says, and we do not:
- It keeps the will of a connection that is taken over.                             MQTT-3.1.2-8: published unless a delay is running
- It sends retained messages to a new shared subscription.                          4.8.2: "No Retained Messages are sent"
- It sends retained messages to the no-local subscriber that published them.        MQTT-3.8.3-3
- It keeps no-local and retain-as-published of a subscription that is replaced.     MQTT-3.8.4-3
The streams go around the first and the last.
"""
import argparse, collections, os, random, shutil, signal, socket, subprocess, sys, tempfile, time

import mqtt_packets as mqtt

LIMIT, CLIENTS, STEPS = 20, 4, 30


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Broker:
    def __init__(self, name, port, command, directory):
        self.name, self.port = name, port
        self.log = open(os.path.join(directory, f'{name}.log'), 'wb')
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                socket.create_connection(('127.0.0.1', port)).close()
                return
            except ConnectionRefusedError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f'{name} does not listen')
                time.sleep(0.02)

    def warm_up(self):
        """Ours acknowledges nothing before it knows what its workloads want."""
        client = Client(self, 4, False)
        client.send(mqtt.connect(4, 'warm-up', True))
        client.receive()
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            client.send(mqtt.publish(4, 'warm-up', 'x', 1, False, 1) + mqtt.PING)
            if client.receive()['kind'] == mqtt.PUBACK:
                client.send(mqtt.disconnect(4))
                return
            client.receive()
        raise RuntimeError(f'{self.name} acknowledges nothing')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT)


def both(directory, binary):
    port = free_port()
    config = os.path.join(directory, 'config.json')
    with open(config, 'w') as file:
        file.write('{"Node":{"Name":"diff"},"DataDirectory":"%s/data","Engine":{"Socket":"/nonexistent"},'
                   '"Mqtt":{"Listen":["127.0.0.1:%d"],"AllowAnonymous":true}}' % (directory, port))
    yield Broker('ours', port, [binary, 'run', '--config', config], directory)
    port = free_port()
    config = os.path.join(directory, 'mosquitto.conf')
    with open(config, 'w') as file:
        file.write(f'listener {port} 127.0.0.1\nallow_anonymous true\nallow_duplicate_messages true\nlog_type error\n'
                   'max_queued_messages 0\nmax_inflight_messages 100\n')
    yield Broker('mosquitto', port, [shutil.which('mosquitto') or '/usr/sbin/mosquitto', '-c', config], directory)


class Client:
    """A connection that says what it is told to, acknowledges unless it holds back, and keeps what it saw."""

    def __init__(self, broker, version, holds):
        self.socket = socket.create_connection(('127.0.0.1', broker.port), timeout=LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version, self.holds, self.buffer, self.seen, self.open = version, holds, b'', [], True
        self.held = []

    def send(self, content):
        try:
            self.socket.sendall(content)
        except OSError:
            self.ended()

    def ended(self):
        if self.open:
            self.open = False
            self.seen.append({'kind': 'closed'})
            self.socket.close()

    def receive(self):
        """The next packet; None at the end."""
        while self.open:
            found = mqtt.split(self.buffer)
            if found:
                first, body, self.buffer = found
                return mqtt.decode(self.version, first, body)
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b''
            if not more:
                self.ended()
            self.buffer += more
        return None

    def barrier(self):
        """Takes what has come; True when there was something. A CONNECT that has no answer yet has one first."""
        before = len(self.seen)
        if self.open:
            self.send(mqtt.PING)
        while self.open:
            got = self.receive()
            if got is None or got['kind'] == mqtt.PINGRESP:
                break
            self.seen.append(got)
            self.answer(got)
        return len(self.seen) > before

    def answer(self, got):
        kind = got['kind']
        reply = None
        if kind == mqtt.PUBLISH and got['qos']:
            reply = mqtt.ack(mqtt.PUBACK if got['qos'] == 1 else mqtt.PUBREC, got['id'])
        elif kind == mqtt.PUBREC and got['reason'] < 0x80:
            reply = mqtt.ack(mqtt.PUBREL, got['id'])
        elif kind == mqtt.PUBREL:
            reply = mqtt.ack(mqtt.PUBCOMP, got['id'])
        if reply and self.holds and kind in (mqtt.PUBLISH, mqtt.PUBREL):
            self.held.append(reply)
        elif reply:
            self.send(reply)

    def let_go(self):
        self.holds = False
        for reply in self.held:
            self.send(reply)
        self.held = []


def normal(seen, ignored):
    """What one client saw in one step, without what may differ.

    ignored: says of a message whether it does not count in this step.
    """
    publishes, others = collections.OrderedDict(), []
    for got in seen:
        kind = got['kind']
        if kind == mqtt.PUBLISH and ignored(got):
            continue
        if kind == mqtt.PUBLISH:
            props = sorted(pair for pair in got['props'] if pair[0] not in ('subscription-id', 'expiry', 'alias', 'user'))
            props += [pair for pair in got['props'] if pair[0] == 'user']
            ids = sorted({value for name, value in got['props'] if name == 'subscription-id'})
            lives = any(name == 'expiry' for name, _ in got['props'])
            key = (got['topic'], got['payload'], got['dup'])
            old = publishes.get(key)
            if old:
                publishes[key] = (max(old[0], got['qos']), old[1] | got['retain'], old[2], old[3], sorted(set(old[4] + ids)))
            else:
                publishes[key] = (got['qos'], got['retain'], props, lives, ids)
        elif kind == mqtt.CONNACK:
            others.append(('CONNACK', got['present'], got['reason']))
        elif kind in (mqtt.SUBACK, mqtt.UNSUBACK):
            others.append((mqtt.NAMES[kind], tuple(got['reasons'])))
        elif kind == 'closed':
            others.append(('closed',))
        elif kind in (mqtt.PUBREL, mqtt.DISCONNECT):
            pass  # PUBRELs are as many as PUBRECs, which copies of a message multiply
        else:
            others.append((mqtt.NAMES[kind], 0 if got['reason'] == 0x10 else got['reason']))
    by_topic = {}
    for (topic, payload, dup), rest in publishes.items():
        by_topic.setdefault(topic, []).append((payload, dup) + rest)
    return sorted(by_topic.items()), others


class Stream:
    """One seed: decides each operation and applies it to both brokers."""

    def __init__(self, brokers, seed, show):
        self.brokers, self.seed, self.show = brokers, seed, show
        self.random = random.Random(seed)
        self.version = [self.random.choice((4, 5)) for _ in range(CLIENTS)]
        self.clients = [[None] * CLIENTS for _ in brokers]
        self.prefix = f's{seed}'
        self.count = 0
        self.differences = []
        self.options = {}
        self.leaves_will = [False] * CLIENTS

    def topic(self):
        return f'{self.prefix}/{self.random.choice(("a", "b", "a/x", "b/y", "/"))}'

    def filter(self):
        choice = self.random.choice(('a', 'b', '#', '+', '+/x', 'a/#', 'b/+', '+/+', '/', 'a/x'))
        return f'{self.prefix}/{choice}'

    def option(self, who, filter):
        qos = self.random.randrange(3)
        if self.version[who] == 4:
            return qos
        kept = self.options.setdefault((who, filter), (self.random.random() < 0.2) << 2 | (self.random.random() < 0.3) << 3)
        return qos | kept | self.random.randrange(3) << 4

    def will(self, who, version):
        self.leaves_will[who] = self.random.random() > 0.6
        if not self.leaves_will[who]:
            return None
        return {'topic': self.topic(), 'payload': f'will{self.count}', 'qos': self.random.randrange(3), 'retain': self.random.random() < 0.3,
                'props': [('user', ('w', '1'))] if version == 5 else []}

    def each(self, who, act):
        for index in range(len(self.brokers)):
            client = self.clients[index][who]
            if client and client.open:
                act(client)

    def connect(self, who):
        version, holds = self.version[who], self.random.random() < 0.15
        props = []
        if version == 5:
            props = [('session-expiry', self.random.choice((0, 1000)))] + ([('receive-maximum', 2)] if self.random.random() < 0.2 else [])
        text = mqtt.connect(version, f'{self.prefix}-{who}', self.random.random() < 0.4, will=self.will(who, version), props=props)
        taken_over = False
        for index, broker in enumerate(self.brokers):
            old = self.clients[index][who]
            made = Client(broker, version, holds)
            if old:
                made.seen = old.seen
                old_open, old.seen = old.open, []
            made.send(text)
            made.seen.append({'kind': mqtt.CONNACK, **(made.receive() or {'present': None, 'reason': 'none'})})
            if old and old_open:
                # It was taken over: what it is told, and that it ends.
                while old.open and (got := old.receive()):
                    made.seen.append(got)
                made.seen.append({'kind': 'closed'})
                taken_over = True
            self.clients[index][who] = made
        return f'client {who} {"takes over" if taken_over else "connects"}: {text.hex()}'

    def act(self, who):
        version, pick = self.version[who], self.random.random()
        self.count += 1
        number = self.count % 60000 + 1
        if not (self.clients[0][who] and self.clients[0][who].open):
            return self.connect(who)
        if pick < 0.42:
            qos, props = self.random.randrange(3), []
            if version == 5:
                for some in ([('user', ('a', '1')), ('user', ('a', '0'))], [('content-type', 'c')], [('response-topic', 'r'), ('correlation', b'1')],
                             [('expiry', 1000)], [('payload-format', 1)]):
                    props += some if self.random.random() < 0.2 else []
            retain = self.random.random() < 0.3
            payload = '' if retain and self.random.random() < 0.2 else f'm{self.count}'
            text = mqtt.publish(version, self.topic(), payload, qos, retain, number, props)
        elif pick < 0.70:
            entries = [(filter, self.option(who, filter)) for filter in [self.filter() for _ in range(self.random.choice((1, 1, 2)))]]
            if self.random.random() < 0.1:
                entries = [(f'$share/g{who}/{entries[0][0]}', entries[0][1] & ~4)]
            props = [('subscription-id', self.random.randrange(1, 300))] if version == 5 and self.random.random() < 0.3 else []
            text = mqtt.subscribe(version, number, entries, props)
        elif pick < 0.76:
            text = mqtt.unsubscribe(version, number, [self.filter() for _ in range(self.random.choice((1, 2)))])
        elif pick < 0.81:
            self.each(who, Client.let_go)
            return f'client {who} acknowledges what it held back'
        elif pick < 0.88:
            text = mqtt.disconnect(version, self.random.choice((0, 4)) if version == 5 else 0)
        elif pick < 0.95:
            self.each(who, lambda client: (client.socket.close(), setattr(client, 'open', False)))
            return f'client {who} is cut off'
        elif not self.leaves_will[who]:
            return self.connect(who)
        else:
            text = mqtt.disconnect(version)
        self.each(who, lambda client: client.send(text))
        shared = ' $share' if b'$share' in text else ''
        if text[0] >> 4 == mqtt.SUBSCRIBE and any(option & 4 for _, option in entries):
            shared += ' no local'
        return f'client {who}: {mqtt.NAMES[text[0] >> 4]}{shared} {text.hex()}'

    def settle(self):
        for mine in self.clients:
            deadline = time.monotonic() + LIMIT
            quiet = 0
            # Twice nothing: a will goes out when the broker has noticed that its client is gone.
            while quiet < 2:
                quiet = 0 if any([client.barrier() for client in mine if client]) else quiet + 1
                if time.monotonic() > deadline:
                    raise RuntimeError('no end of packets')

    def step(self, number):
        who = self.random.randrange(CLIENTS)
        cut = self.act(who)
        if 'cut off' in cut or 'DISCONNECT' in cut:
            self.wait_gone(who)
        self.settle()
        unequal = '$share' in cut or 'no local' in cut
        ignored = lambda message: unequal and message['retain']
        for client in range(CLIENTS):
            views = []
            for mine in self.clients:
                views.append(normal(mine[client].seen, ignored) if mine[client] else ([], []))
                if mine[client]:
                    mine[client].seen.clear()
            if views[0] != views[1] and not self.differences:
                who_saw = f'client {client} (version {self.version[client]})'
                self.differences.append(f'step {number}, {cut}\n{who_saw}\n  ours      {views[0]}\n  mosquitto {views[1]}')
            if self.show:
                print(f'  # {number}: client {client}: {views[0]}')
        if self.show:
            print(f'  # {number}: {cut}')

    def wait_gone(self, who):
        """Until the broker has noticed: whoever comes with that id and a filter of its own would otherwise race with a will."""
        for index, broker in enumerate(self.brokers):
            client = self.clients[index][who]
            while client.open and client.receive():
                pass
        time.sleep(0.005)

    def run(self):
        for number in range(STEPS):
            self.step(number)
            if self.differences:
                break
        self.clean()
        return self.differences

    def clean(self):
        for index, broker in enumerate(self.brokers):
            for who in range(CLIENTS):
                last = Client(broker, 4, False)
                last.send(mqtt.connect(4, f'{self.prefix}-{who}', True))
                last.receive()
                if who == 0:
                    for topic in ('a', 'b', 'a/x', 'b/y', '/'):
                        last.send(mqtt.publish(4, f'{self.prefix}/{topic}', '', 0, True, 0))
                last.send(mqtt.PING + mqtt.disconnect(4))
                while last.receive():
                    pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('binary')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--show', action='store_true')
    asked = parser.parse_args()
    directory = tempfile.mkdtemp(prefix='edge-differential-')
    brokers, bad = [], 0
    try:
        for broker in both(directory, asked.binary):
            brokers.append(broker)
            broker.warm_up()
        for seed in range(asked.seed, asked.seed + asked.count):
            for difference in Stream(brokers, seed, asked.show).run():
                bad += 1
                if bad <= 10:
                    print(f'not ok - stream {seed} differs from mosquitto')
                    print('  # ' + difference.replace('\n', '\n  # '))
                    print(f'  # again: tests/shell/mqtt-differential.sh --seed {seed} --count 1 --show', flush=True)
        if not bad:
            print(f'ok - {asked.count} streams from seed {asked.seed} look the same at both brokers')
    finally:
        for broker in brokers:
            broker.stop()
        shutil.rmtree(directory)
    sys.exit(bad > 0)


main()
