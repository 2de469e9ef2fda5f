#!/usr/bin/python3
"""A sensor made of the MQTT-SN messages of Debian's scapy (2.5), and mosquitto's clients on the other side of the broker.

    interop_sensornet.py GATEWAY SENSOR_PORT MQTT_PORT      GATEWAY: an address; a link-local one with its interface

There is no MQTT-SN client in Debian, NuGet or npm (2026); scapy writes and reads every byte here and knows nothing of our reader and writer.
Predefined topic 7 is pre/defined. Prints "ok - ..." or "not ok - ..." lines.
"""
import socket, subprocess, sys, traceback

from scapy.contrib import mqttsn as sn

FAMILY, _, _, _, GATEWAY = socket.getaddrinfo(sys.argv[1], sys.argv[2], type=socket.SOCK_DGRAM)[0]
MQTT_PORT = sys.argv[3]
LIMIT = 20
NORMAL, PREDEFINED, SHORT = 0, 1, 2


class Sensor:
    def __init__(self, name=None, **connect):
        self.socket = socket.socket(FAMILY, socket.SOCK_DGRAM)
        self.socket.connect(GATEWAY)
        self.socket.settimeout(LIMIT)
        self.name = name
        if name:
            self.send(sn.MQTTSNConnect(client_id=name, duration=60, **{'cleansess': 1, **connect}))
            if not connect.get('will'):
                assert self.hear(sn.MQTTSNConnack).return_code == 0

    def send(self, message):
        self.socket.send(bytes(sn.MQTTSN() / message))

    def hear(self, kind):
        data = self.socket.recv(4096)
        message = sn.MQTTSN(data)
        assert message.len == len(data), data
        # Of a message that is a header alone scapy makes no more than that.
        assert message.type == sn.MQTTSN(bytes(sn.MQTTSN() / kind())).type, message.show(dump=True)
        return message.payload

    def register(self, topic):
        self.send(sn.MQTTSNRegister(mid=1, topic_name=topic))
        answer = self.hear(sn.MQTTSNRegack)
        assert (answer.mid, answer.return_code) == (1, 0)
        return answer.tid

    def subscribe(self, topic, qos):
        self.send(sn.MQTTSNSubscribe(mid=2, qos=qos, tid_type=NORMAL, topic_name=topic))
        answer = self.hear(sn.MQTTSNSuback)
        assert (answer.mid, answer.return_code, answer.qos) == (2, 0, qos)
        return answer.tid

    def registered(self):
        asked = self.hear(sn.MQTTSNRegister)
        self.send(sn.MQTTSNRegack(tid=asked.tid, mid=asked.mid, return_code=0))
        return asked.tid, asked.topic_name.decode()


def listen(topic, count):
    """mosquitto_sub, subscribed already."""
    program = subprocess.Popen(
        ['stdbuf', '-oL', 'mosquitto_sub', '-h', '127.0.0.1', '-p', MQTT_PORT, '-t', topic, '-q', '2', '-C', str(count), '-W', str(LIMIT), '-F', '%t %p', '-d'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while 'Subscribed' not in program.stdout.readline():
        assert program.poll() is None
    return program


def heard(program):
    lines = program.stdout.read().splitlines()
    program.wait(LIMIT)
    return [line for line in lines if not line.startswith('Client ')]


def publish(topic, payload, qos=1):
    subprocess.run(['mosquitto_pub', '-h', '127.0.0.1', '-p', MQTT_PORT, '-t', topic, '-m', payload, '-q', str(qos)], check=True, timeout=LIMIT)


def every_qos_to_mqtt():
    program = listen('scapy/#', 3)
    sensor = Sensor('up')
    tid = sensor.register('scapy/x')
    sensor.send(sn.MQTTSNPublish(qos=0, tid_type=NORMAL, tid=tid, data='zero'))
    sensor.send(sn.MQTTSNPublish(qos=1, tid_type=NORMAL, tid=tid, mid=3, data='one'))
    answer = sensor.hear(sn.MQTTSNPuback)
    assert (answer.tid, answer.mid, answer.return_code) == (tid, 3, 0)
    sensor.send(sn.MQTTSNPublish(qos=2, tid_type=NORMAL, tid=tid, mid=4, data='t' * 300))
    assert sensor.hear(sn.MQTTSNPubrec).mid == 4
    sensor.send(sn.MQTTSNPubrel(mid=4))
    assert sensor.hear(sn.MQTTSNPubcomp).mid == 4
    assert heard(program) == ['scapy/x zero', 'scapy/x one', 'scapy/x ' + 't' * 300]


def without_a_connection():
    program = listen('#', 2)
    sensor = Sensor()
    sensor.send(sn.MQTTSNPublish(qos=3, tid_type=PREDEFINED, tid=7, data='predefined'))
    sensor.send(sn.MQTTSNPublish(qos=3, tid_type=SHORT, tid=int.from_bytes(b'ab', 'big'), data='short'))
    assert heard(program) == ['pre/defined predefined', 'ab short']


def every_qos_from_mqtt():
    sensor = Sensor('down')
    sensor.subscribe('from/+', 2)
    publish('from/a', 'x' * 400, 2)
    tid, topic = sensor.registered()
    message = sensor.hear(sn.MQTTSNPublish)
    assert (topic, message.tid, message.qos, message.data) == ('from/a', tid, 2, b'x' * 400)
    sensor.send(sn.MQTTSNPubrec(mid=message.mid))
    assert sensor.hear(sn.MQTTSNPubrel).mid == message.mid
    sensor.send(sn.MQTTSNPubcomp(mid=message.mid))
    publish('from/a', 'again', 1)
    message = sensor.hear(sn.MQTTSNPublish)
    assert (message.tid, message.qos, message.data) == (tid, 1, b'again')
    sensor.send(sn.MQTTSNPuback(tid=tid, mid=message.mid, return_code=0))
    publish('from/a', 'zero', 0)
    assert sensor.hear(sn.MQTTSNPublish).qos == 0
    sensor.send(sn.MQTTSNUnsubscribe(mid=9, tid_type=NORMAL, topic_name='from/+'))
    assert sensor.hear(sn.MQTTSNUnsuback).mid == 9


def sleeping():
    sensor = Sensor('sleeper')
    tid = sensor.subscribe('to/sleeper', 1)
    sensor.send(sn.MQTTSNDisconnect(duration=600))
    sensor.hear(sn.MQTTSNDisconnect)
    for text in ('one', 'two'):
        publish('to/sleeper', text)
    sensor.send(sn.MQTTSNPingReq(client_id='sleeper'))
    for text in (b'one', b'two'):
        message = sensor.hear(sn.MQTTSNPublish)
        assert (message.tid, message.data) == (tid, text)
        sensor.send(sn.MQTTSNPuback(tid=tid, mid=message.mid, return_code=0))
    sensor.hear(sn.MQTTSNPingResp)


def wills():
    program = listen('last', 1)
    sensor = Sensor('doomed', will=1)
    sensor.hear(sn.MQTTSNWillTopicReq)
    sensor.send(sn.MQTTSNWillTopic(qos=1, will_topic='last'))
    sensor.hear(sn.MQTTSNWillMsgReq)
    sensor.send(sn.MQTTSNWillMsg(will_msg='words'))
    assert sensor.hear(sn.MQTTSNConnack).return_code == 0
    sensor.send(sn.MQTTSNWillMsgUpd(will_msg='other words'))
    assert sensor.hear(sn.MQTTSNWillMsgResp).return_code == 0
    sensor.send(sn.MQTTSNWillTopicUpd(qos=1, will_topic='last'))
    assert sensor.hear(sn.MQTTSNWillTopicResp).return_code == 0
    # Somebody else is here now: the one before has vanished.
    sensor.send(sn.MQTTSNConnect(client_id='another', duration=60, cleansess=1))
    assert sensor.hear(sn.MQTTSNConnack).return_code == 0
    assert heard(program) == ['last other words']


def gateway():
    sensor = Sensor()
    sensor.send(sn.MQTTSNSearchGW(radius=0))
    assert sensor.hear(sn.MQTTSNGwInfo).gw_id == 5
    sensor.send(sn.MQTTSNPingReq(client_id='nobody'))
    sensor.hear(sn.MQTTSNDisconnect)
    sensor.send(sn.MQTTSNConnect(client_id='x', prot_id=2, duration=60))
    assert sensor.hear(sn.MQTTSNConnack).return_code == 3


for test in (gateway, every_qos_to_mqtt, without_a_connection, every_qos_from_mqtt, sleeping, wills):
    what = 'scapy MQTT-SN over ' + sys.argv[1] + ': ' + test.__name__.replace('_', ' ')
    try:
        test()
        print('ok -', what, flush=True)
    except Exception:
        print('not ok -', what, flush=True)
        print('  # ' + traceback.format_exc().replace('\n', '\n  # '), flush=True)
        failed = True
sys.exit(1 if globals().get('failed') else 0)
