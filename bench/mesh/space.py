"""A network of its own, of loopback addresses, with rules that lose, cut and count what is sent."""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000  # linux/sched.h
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f'{what}: {os.strerror(ctypes.get_errno())}')


class Space:
    """Lives as long as this object or a process inside: nothing is left behind, however the program ends."""

    def __init__(self):
        self._outside = os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
        _check(_libc.unshare(CLONE_NEWNET), 'unshare')
        self._inside = os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)
        try:
            subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
            # Of what nodes send one another, by protocol; what they say to themselves elsewhere on loopback is not counted.
            for protocol in ('udp', 'tcp'):
                for half in ('127.1.0.0/16', '127.2.0.0/16'):
                    self._iptables('-A', 'OUTPUT', '-s', half, '-p', protocol)
        finally:
            _check(_libc.setns(self._outside, CLONE_NEWNET), 'setns')

    def __enter__(self):
        _check(_libc.setns(self._inside, CLONE_NEWNET), 'setns')
        return self

    def __exit__(self, *_):
        _check(_libc.setns(self._outside, CLONE_NEWNET), 'setns')

    def close(self):
        os.close(self._inside)
        os.close(self._outside)

    def lose(self, share):
        """Every packet between nodes is lost with this probability."""
        with self:
            for half in ('127.1.0.0/16', '127.2.0.0/16'):
                self._iptables('-A', 'INPUT', '-d', half, '-m', 'statistic', '--mode', 'random', '--probability', str(share), '-j', 'DROP')

    def split(self):
        with self:
            for here, there in (('1', '2'), ('2', '1')):
                self._iptables('-A', 'INPUT', '-s', f'127.{here}.0.0/16', '-d', f'127.{there}.0.0/16', '-j', 'DROP')

    def silence(self, address):
        """Packets from and to this address vanish; nobody is told."""
        with self:
            for side in ('-s', '-d'):
                self._iptables('-A', 'INPUT', side, address, '-j', 'DROP')

    def heal(self):
        with self:
            self._iptables('-F', 'INPUT')

    def sent(self):
        """Bytes at the IP level and packets since the beginning, by protocol."""
        with self:
            listed = subprocess.run(['iptables', '-w', '-vnxL', 'OUTPUT'], check=True, capture_output=True, text=True).stdout
        sums = {'udp': [0, 0], 'tcp': [0, 0]}
        for line in listed.splitlines()[2:]:
            packets, size, protocol = line.split()[:3]
            protocol = {'6': 'tcp', '17': 'udp'}.get(protocol, protocol)
            sums[protocol][0] += int(size)
            sums[protocol][1] += int(packets)
        return sums

    @staticmethod
    def _iptables(*arguments):
        subprocess.run(['iptables', '-w', *arguments], check=True)
