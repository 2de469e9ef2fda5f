"""Holds a control conversation as a node of the site, until the other side ends it: hold_conversation.py SITE-DIRECTORY NODE-ID HOST PORT.
Prints "open" when both have said hello, then "over after N s"."""
import socket
import ssl
import struct
import sys
import time

CONTROL = 1


def receive(stream, count):
    data = b''
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            raise ConnectionError('ended within a frame')
        data += more
    return data


def main():
    site, node, host, port = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.load_verify_locations(f'{site}/authority.pem')
    context.load_cert_chain(f'{site}/node.pem', f'{site}/node.key')
    with context.wrap_socket(socket.create_connection((host, int(port)))) as stream:
        hello = bytes([CONTROL]) + node.encode()
        stream.sendall(struct.pack('>IB', len(hello), 0) + hello)
        length, _ = struct.unpack('>IB', receive(stream, 5))
        receive(stream, length)
        print('open', flush=True)
        opened = time.monotonic()
        try:
            while stream.recv(4096):
                pass
        except OSError:
            pass  # cut off
        print(f'over after {time.monotonic() - opened:.1f} s', flush=True)


if __name__ == '__main__':
    main()
