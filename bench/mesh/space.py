"""A network of machines, each a network namespace with one cable to a router, whose rules lose, cut, silence and count."""
import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000  # linux/sched.h
ROUTER = '169.254.1.1'  # at the other end of every cable
HALVES = ('10.77.1.0/24', '10.77.2.0/24')
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f'{what}: {os.strerror(ctypes.get_errno())}')


def _here():
    return os.open('/proc/self/ns/net', os.O_RDONLY | os.O_CLOEXEC)


def _run(*words, text=None):
    return subprocess.run(words, check=True, capture_output=True, text=True, input=text).stdout


class Space:
    """Lives as long as this object or a process inside: nothing is left behind, however the program ends."""

    def __init__(self, addresses):
        self._outside = _here()
        try:
            self._router = self._new()
            self._machines = {address: self._new() for address in addresses}
        finally:
            self._enter(self._outside)
        with self._in(self._router):
            with open('/proc/sys/net/ipv4/ip_forward', 'w', encoding='ascii') as file:
                file.write('1')
            cables = ['link set lo up']
            for number, (address, machine) in enumerate(self._machines.items()):
                cables += [f'link add v{number} type veth peer name eth0 netns /proc/{os.getpid()}/fd/{machine}', f'link set v{number} up',
                           f'addr add {ROUTER}/32 dev v{number}', f'route add {address}/32 dev v{number}']
            _run('ip', '-batch', '-', text='\n'.join(cables) + '\n')
            # Of what machines send one another, by protocol.
            for protocol in ('udp', 'tcp', 'icmp'):
                _run('iptables', '-w', '-t', 'mangle', '-A', 'PREROUTING', '-p', protocol)
        for address, machine in self._machines.items():
            with self._in(machine):
                _run('ip', '-batch', '-', text=f'link set lo up\nlink set eth0 up\naddr add {address}/32 dev eth0\nroute add {ROUTER}/32 dev eth0\n'
                                               f'route add default via {ROUTER} src {address}\n')

    @staticmethod
    def _new():
        _check(_libc.unshare(CLONE_NEWNET), 'unshare')
        return _here()

    @staticmethod
    def _enter(namespace):
        _check(_libc.setns(namespace, CLONE_NEWNET), 'setns')

    @contextlib.contextmanager
    def _in(self, namespace):
        self._enter(namespace)
        try:
            yield
        finally:
            self._enter(self._outside)

    def machine(self, address):
        """What is started in this context lives there."""
        return self._in(self._machines[address])

    def close(self):
        for namespace in (self._outside, self._router, *self._machines.values()):
            os.close(namespace)

    def _rule(self, *words):
        with self._in(self._router):
            _run('iptables', '-w', *words)

    def lose(self, share):
        """Every packet between machines is lost with this probability."""
        self._rule('-A', 'FORWARD', '-m', 'statistic', '--mode', 'random', '--probability', str(share), '-j', 'DROP')

    def split(self):
        for here, there in (HALVES, HALVES[::-1]):
            self._rule('-A', 'FORWARD', '-s', here, '-d', there, '-j', 'DROP')

    def silence(self, address):
        """Packets from and to this address vanish; nobody is told."""
        for side in ('-s', '-d'):
            self._rule('-A', 'FORWARD', side, address, '-j', 'DROP')

    def heal(self):
        self._rule('-F', 'FORWARD')

    def sent(self):
        """Bytes at the IP level and packets since the beginning, by protocol."""
        with self._in(self._router):
            listed = _run('iptables', '-w', '-t', 'mangle', '-vnxL', 'PREROUTING')
        sums = {}
        for line in listed.splitlines()[2:]:
            packets, size, protocol = line.split()[:3]
            sums[{'6': 'tcp', '17': 'udp', '1': 'icmp'}.get(protocol, protocol)] = (int(size), int(packets))
        return sums
