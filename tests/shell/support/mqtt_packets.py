"""MQTT 3.1.1 and 5 packets as dictionaries, for tests that decide each packet themselves."""
import struct

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(1, 15)
NAMES = ['', 'CONNECT', 'CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK',
         'PINGREQ', 'PINGRESP', 'DISCONNECT', 'AUTH']

# Identifier: name and form (b byte, 2, 4, v variable, s text, d data, p pair).
PROPERTIES = {
    1: ('payload-format', 'b'), 2: ('expiry', '4'), 3: ('content-type', 's'), 8: ('response-topic', 's'), 9: ('correlation', 'd'),
    11: ('subscription-id', 'v'), 17: ('session-expiry', '4'), 18: ('assigned-id', 's'), 19: ('server-keep-alive', '2'),
    21: ('auth-method', 's'), 22: ('auth-data', 'd'), 23: ('problem-information', 'b'), 24: ('will-delay', '4'),
    25: ('response-request', 'b'), 26: ('response-information', 's'), 28: ('server-reference', 's'), 31: ('reason', 's'),
    33: ('receive-maximum', '2'), 34: ('alias-maximum', '2'), 35: ('alias', '2'), 36: ('maximum-qos', 'b'), 37: ('retain-available', 'b'),
    38: ('user', 'p'), 39: ('packet-maximum', '4'), 40: ('wildcards', 'b'), 41: ('ids-available', 'b'), 42: ('shared', 'b')}
IDS = {name: (number, form) for number, (name, form) in PROPERTIES.items()}


def variable(number):
    made = b''
    while True:
        made += bytes([number & 127 | (128 if number > 127 else 0)])
        number >>= 7
        if not number:
            return made


def data(content):
    content = content.encode() if isinstance(content, str) else content
    return struct.pack('>H', len(content)) + content


def properties(version, given):
    """A list of name and value pairs."""
    if version < 5:
        return b''
    made = b''
    for name, value in given:
        number, form = IDS[name]
        made += bytes([number]) + {
            'b': lambda: bytes([value]), '2': lambda: struct.pack('>H', value), '4': lambda: struct.pack('>I', value), 'v': lambda: variable(value),
            's': lambda: data(value), 'd': lambda: data(value), 'p': lambda: data(value[0]) + data(value[1])}[form]()
    return variable(len(made)) + made


def packet(first, body):
    return bytes([first]) + variable(len(body)) + body


def connect(version, name, clean, keep=0, will=None, props=()):
    flags = 2 if clean else 0
    tail = data(name)
    if will:
        flags |= 4 | will['qos'] << 3 | will['retain'] << 5
        tail += properties(version, will.get('props', ())) + data(will['topic']) + data(will['payload'])
    return packet(CONNECT << 4, data('MQTT') + bytes([version, flags]) + struct.pack('>H', keep) + properties(version, props) + tail)


def publish(version, topic, payload, qos, retain, number, props=(), dup=False):
    head = data(topic) + (struct.pack('>H', number) if qos else b'')
    return packet(PUBLISH << 4 | dup << 3 | qos << 1 | retain, head + properties(version, props) + payload.encode())


def ack(kind, number):
    return packet(kind << 4 | (2 if kind == PUBREL else 0), struct.pack('>H', number))


def subscribe(version, number, entries, props=()):
    return packet(SUBSCRIBE << 4 | 2, struct.pack('>H', number) + properties(version, props) + b''.join(data(f) + bytes([o]) for f, o in entries))


def unsubscribe(version, number, filters):
    return packet(UNSUBSCRIBE << 4 | 2, struct.pack('>H', number) + properties(version, ()) + b''.join(map(data, filters)))


def disconnect(version, reason=0):
    return packet(DISCONNECT << 4, bytes([reason]) if version == 5 and reason else b'')


PING = packet(PINGREQ << 4, b'')


class Reader:
    def __init__(self, body):
        self.body, self.at = body, 0

    def take(self, count):
        self.at += count
        return self.body[self.at - count:self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), 'big')

    def variable(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def data(self):
        return self.take(self.number(2))

    def rest(self):
        return self.body[self.at:]

    def properties(self, version):
        if version < 5 or self.at >= len(self.body):
            return []
        end = self.variable() + self.at
        found = []
        while self.at < end:
            name, form = PROPERTIES[self.take(1)[0]]
            value = {'b': lambda: self.number(1), '2': lambda: self.number(2), '4': lambda: self.number(4), 'v': self.variable,
                     's': lambda: self.data().decode(), 'd': self.data, 'p': lambda: (self.data().decode(), self.data().decode())}[form]()
            found.append((name, value))
        return found


def decode(version, first, body):
    kind, reader = first >> 4, Reader(body)
    made = {'kind': kind}
    if kind == CONNACK:
        made.update(present=reader.number(1), reason=reader.number(1), props=reader.properties(version))
    elif kind == PUBLISH:
        made.update(dup=first >> 3 & 1, qos=first >> 1 & 3, retain=first & 1, topic=reader.data().decode())
        made['id'] = reader.number(2) if made['qos'] else 0
        made.update(props=reader.properties(version), payload=reader.rest().decode())
    elif kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
        made.update(id=reader.number(2), reason=reader.number(1) if reader.rest() else 0)
    elif kind in (SUBACK, UNSUBACK):
        made.update(id=reader.number(2), props=reader.properties(version))
        made['reasons'] = list(reader.rest())
    elif kind == DISCONNECT:
        made.update(reason=reader.number(1) if reader.rest() else 0, props=reader.properties(version))
    return made


def split(buffer):
    """The first packet of the buffer and what is behind it; None where it is not whole."""
    size = shift = 0
    for at, byte in enumerate(buffer[1:5], 2):
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return (buffer[0], buffer[at:at + size], buffer[at + size:]) if len(buffer) >= at + size else None
    return None
