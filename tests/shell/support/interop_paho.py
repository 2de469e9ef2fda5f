#!/usr/bin/python3
"""Debian's paho client (1.6) against a running broker.

    interop_paho.py PORT RESTART    RESTART: a program that stops the broker and starts it again

Prints "ok - ..." or "not ok - ..." lines.
"""
import queue, subprocess, sys, threading, time, traceback

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT, RESTART = int(sys.argv[1]), sys.argv[2]
LIMIT = 20
NAMES = {mqtt.MQTTv31: '3.1', mqtt.MQTTv311: '3.1.1', mqtt.MQTTv5: '5'}


def properties(kind, **values):
    made = Properties(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Peer:
    """A paho client with its network loop in a thread; messages and answers wait in queues."""

    def __init__(self, name, version, clean=True, expiry=None, will=None, maximum=None, retry=1):
        self.messages, self.answers, self.connections = queue.Queue(), queue.Queue(), queue.Queue()
        self.version = version
        options = {} if version == mqtt.MQTTv5 else {'clean_session': clean}
        self.client = mqtt.Client(name, protocol=version, **options)
        self.client.reconnect_delay_set(min_delay=retry, max_delay=retry)
        self.client.on_message = lambda client, data, message: self.messages.put(message)
        self.client.on_connect = lambda client, data, flags, code, *rest: self.connections.put((flags, code))
        for event in ('on_subscribe', 'on_unsubscribe', 'on_publish'):
            setattr(self.client, event, lambda client, data, mid, *rest: self.answers.put((mid, rest)))
        if will:
            self.client.will_set(**will)
        if version == mqtt.MQTTv5:
            asked = properties(PacketTypes.CONNECT, SessionExpiryInterval=0 if expiry is None else expiry)
            if maximum:
                asked.ReceiveMaximum = maximum
            self.client.connect('127.0.0.1', PORT, clean_start=clean, properties=asked)
        else:
            self.client.connect('127.0.0.1', PORT)
        self.client.loop_start()
        self.flags, code = self.connections.get(timeout=LIMIT)
        assert code == 0, f'CONNACK {code}'

    def answer(self, mid):
        while True:
            got, rest = self.answers.get(timeout=LIMIT)
            if got == mid:
                return rest

    def subscribe(self, *arguments, **options):
        return self.answer(self.client.subscribe(*arguments, **options)[1])

    def publish(self, topic, payload, qos=1, **options):
        info = self.client.publish(topic, payload, qos, **options)
        info.wait_for_publish(LIMIT)
        assert info.is_published(), f'{topic} was not acknowledged'

    def next(self):
        return self.messages.get(timeout=LIMIT)

    def texts(self, count):
        return [self.next().payload.decode() for _ in range(count)]

    def silent(self, topic):
        """Nothing came: a message of its own is the next one."""
        self.publish(topic, 'mark')
        assert self.next().payload == b'mark'

    def break_off(self):
        """As a pulled cable would, but at once."""
        self.client._thread_terminate = True
        self.client.socket().shutdown(2)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def every_qos(version):
    a, b = Peer('a', version), Peer('b', version)
    for granted in range(3):
        b.subscribe('q/%d' % granted, granted)
        for qos in range(3):
            a.publish('q/%d' % granted, 'x%d' % qos, qos)
            message = b.next()
            assert (message.payload, message.qos) == (b'x%d' % qos, min(qos, granted)), (message.payload, message.qos)
    a.close(), b.close()


def many_in_order(version):
    a, b = Peer('a', version), Peer('b', version, maximum=7)
    b.subscribe('o/#', 2)
    for qos in range(1, 3):
        sent = ['%d' % i for i in range(300)]
        infos = [a.client.publish('o/x', text, qos) for text in sent]
        for info in infos:
            info.wait_for_publish(LIMIT)
        assert b.texts(300) == sent
    a.close(), b.close()


def session_over_connections(version):
    a, b = Peer('a', version), Peer('kept', version, clean=False, expiry=300)
    b.subscribe('s/#', 2)
    b.close()
    for qos in range(1, 3):
        a.publish('s/%d' % qos, 'missed', qos)
    b = Peer('kept', version, clean=False, expiry=300)
    assert b.flags['session present'] == 1 or version == mqtt.MQTTv31, b.flags
    assert [b.next().topic for _ in range(2)] == ['s/1', 's/2']
    b.close()
    b = Peer('kept', version)
    assert not b.flags['session present']
    a.publish('s/1', 'x')
    b.subscribe('own', 1)
    b.silent('own')
    a.close(), b.close()


def retained(version):
    a = Peer('a', version)
    a.publish('r/1', 'kept', 2, retain=True)
    b = Peer('b', version)
    b.subscribe('r/#', 2)
    message = b.next()
    assert (message.payload, message.retain, message.qos) == (b'kept', True, 2)
    a.publish('r/1', 'new', 0, retain=True)
    assert b.next().retain == False
    a.publish('r/1', '', 1, retain=True)
    b.next()
    c = Peer('c', version)
    c.subscribe([('r/#', 1), ('own', 1)])
    c.silent('own')
    for peer in (a, b, c):
        peer.close()


def will(version):
    b = Peer('b', version)
    b.subscribe('w', 2)
    a = Peer('a', version, will={'topic': 'w', 'payload': 'gone', 'qos': 2, 'retain': True})
    a.break_off()
    message = b.next()
    assert (message.payload, message.qos, message.retain) == (b'gone', 2, False)
    Peer('a', version, will={'topic': 'w', 'payload': 'not sent'}).close()
    b.publish('w', '', 1, retain=True)
    assert b.next().payload == b''
    b.close()


def take_over(version):
    a = Peer('same', version, retry=1000)
    ended = threading.Event()
    a.client.on_disconnect = lambda *rest: ended.set()
    b = Peer('same', version)
    assert ended.wait(LIMIT)
    b.subscribe('t', 1)
    b.silent('t')
    a.close(), b.close()


def unsubscribe(version):
    a = Peer('a', version)
    a.subscribe([('u/1', 0), ('u/+', 1), ('own', 1)])
    a.answer(a.client.unsubscribe(['u/1', 'u/+'])[1])
    a.publish('u/1', 'x')
    a.silent('own')
    a.close()


def big(version):
    a = Peer('a', version)
    a.subscribe('big', 2)
    payload = bytes(range(256)) * 3900
    for qos in range(3):
        a.publish('big', payload, qos)
        assert a.next().payload == payload
    a.close()


def restart(version):
    """The broker goes and comes: both reconnect by themselves, the session and what is on its way are still there."""
    a, b = Peer('ra', version, clean=False, expiry=300), Peer('rb', version, clean=False, expiry=300)
    b.subscribe('x', 2)
    for i in range(20):
        a.client.publish('x', 'before%d' % i, 2)
    subprocess.run([RESTART], check=True, timeout=LIMIT)
    for i in range(20):
        a.client.publish('x', 'after%d' % i, 2)
    wanted = ['before%d' % i for i in range(20)] + ['after%d' % i for i in range(20)]
    assert b.texts(40) == wanted
    a.close(), b.close()
    Peer('ra', version).close(), Peer('rb', version).close()


def user_properties(version):
    a = Peer('a', version)
    a.subscribe('p', 1)
    given = properties(PacketTypes.PUBLISH, ResponseTopic='answer', CorrelationData=b'\x00\x01', ContentType='c', PayloadFormatIndicator=1)
    given.UserProperty = [('b', '2'), ('a', '1'), ('b', '1')]
    a.publish('p', 'x', properties=given)
    got = a.next().properties
    assert got.UserProperty == [('b', '2'), ('a', '1'), ('b', '1')], got.UserProperty
    assert (got.ResponseTopic, got.CorrelationData, got.ContentType, got.PayloadFormatIndicator) == ('answer', b'\x00\x01', 'c', 1)
    a.close()


def request_response(version):
    server, client = Peer('server', version), Peer('client', version)
    client.subscribe('answers/client', 1)
    server.subscribe('add', 1)
    client.publish('add', '20 22', properties=properties(PacketTypes.PUBLISH, ResponseTopic='answers/client', CorrelationData=b'7'))
    request = server.next()
    total = sum(map(int, request.payload.split()))
    answer = properties(PacketTypes.PUBLISH, CorrelationData=request.properties.CorrelationData)
    server.publish(request.properties.ResponseTopic, str(total), properties=answer)
    got = client.next()
    assert (got.payload, got.properties.CorrelationData) == (b'42', b'7')
    server.close(), client.close()


def aliases(version):
    a, b = Peer('a', version), Peer('b', version)
    b.subscribe('long/topic', 1)
    a.publish('long/topic', '1', properties=properties(PacketTypes.PUBLISH, TopicAlias=3))
    for text in ('2', '3'):
        # paho checks that a topic is not empty, which version 5 allows with an alias.
        a.publish('long/topic', text, properties=properties(PacketTypes.PUBLISH, TopicAlias=3))
    assert b.texts(3) == ['1', '2', '3']
    a.close(), b.close()


def expiry(version):
    a, b = Peer('a', version), Peer('kept', version, clean=False, expiry=300)
    b.subscribe('e', 1)
    b.close()
    a.publish('e', 'short', properties=properties(PacketTypes.PUBLISH, MessageExpiryInterval=1))
    a.publish('e', 'long', properties=properties(PacketTypes.PUBLISH, MessageExpiryInterval=100))
    time.sleep(1.2)
    b = Peer('kept', version, clean=False)
    message = b.next()
    assert message.payload == b'long' and message.properties.MessageExpiryInterval < 100
    a.close(), b.close()


def options(version):
    a, b = Peer('a', version), Peer('b', version)
    a.publish('opt', 'old', retain=True)
    identified = properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=9)
    b.subscribe('opt', options=SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True, retainHandling=2), properties=identified)
    b.publish('opt', 'own')
    a.publish('opt', 'new', retain=True)
    message = b.next()
    assert (message.payload, message.retain, message.properties.SubscriptionIdentifier) == (b'new', True, [9])
    b.subscribe('opt', options=SubscribeOptions(qos=1, retainHandling=0))
    assert b.next().payload == b'new'
    b.subscribe('opt', options=SubscribeOptions(qos=1, retainHandling=1))
    b.silent('opt')
    a.publish('opt', '', retain=True)
    a.close(), b.close()


def shared(version):
    a, one, two = Peer('a', version), Peer('one', version), Peer('two', version)
    for peer in (one, two):
        peer.subscribe('$share/g/sh', 1)
    for i in range(40):
        a.publish('sh', str(i))
    got = []
    for _ in range(400):
        for peer in (one, two):
            try:
                got.append(peer.messages.get(timeout=0.05).payload.decode())
            except queue.Empty:
                pass
        if len(got) >= 40:
            break
    assert sorted(map(int, got)) == list(range(40)), got
    for peer in (a, one, two):
        peer.close()


def will_delay(version):
    b = Peer('b', version)
    b.subscribe('wd', 1)
    late = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=1)
    a = Peer('a', version, expiry=100, will={'topic': 'wd', 'payload': 'gone', 'properties': late})
    a.break_off()
    a = Peer('a', version, clean=False, expiry=100, will={'topic': 'wd', 'payload': 'again', 'properties': late})
    b.silent('wd')
    a.break_off()
    assert b.next().payload == b'again'
    Peer('a', version).close()
    b.close()


def refusals(version):
    a = Peer('a', version)
    reasons = a.subscribe([('x/' * 100, SubscribeOptions(qos=1)), ('fine', SubscribeOptions(qos=1))])[0]
    assert [reason.value for reason in reasons] == [0x8F, 1], reasons
    a.close()


ALL = [every_qos, many_in_order, session_over_connections, retained, will, take_over, unsubscribe, big, restart]
V5 = [user_properties, request_response, aliases, expiry, options, shared, will_delay, refusals]


def main():
    failed = False
    for version in NAMES:
        for test in ALL + (V5 if version == mqtt.MQTTv5 else []):
            what = f'paho {NAMES[version]}: {test.__name__.replace("_", " ")}'
            try:
                test(version)
                print(f'ok - {what}', flush=True)
            except Exception:
                failed = True
                print(f'not ok - {what}', flush=True)
                print('  # ' + traceback.format_exc().strip().replace('\n', '\n  # '), flush=True)
    # Threads of clients that a failure left behind do not keep the process.
    sys.stdout.flush()
    __import__('os')._exit(failed)


main()
