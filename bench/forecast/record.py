#!/usr/bin/env python3
"""Records what a node would read, once a second, while a bounded load runs in a cgroup (v1) of its own; needs root.

record.py SCENARIO FILE.csv.gz [SEED]   one of the scenarios below
record.py machine FILE.csv.gz SECONDS   the whole machine from /proc, with whatever runs on it

The cgroup has 0.15 cores and 96 MiB, so that six run side by side without starving their host. CPU load is cpuacct.usage against the quota,
pressure the share of throttled periods, memory the working set (usage less inactive file pages) against the limit: as the node's own probe reads them.
The first line says whether an overload in it can be foreseen from what came before ("foreseeable"); it is written before anything is measured.
"""
import gzip
import os
import random
import signal
import sys
import time

CORES, MEMORY, PERIOD = 0.15, 96 << 20, 0.1
MIB = 1 << 20


def ramp(t, low, high, begin, end):
    return low + (high - low) * min(1.0, max(0.0, (t - begin) / (end - begin)))


# name: (seconds, demand as a share of the quota at second t, MiB held at second t, overloads are foreseeable)
SCENARIOS = {
    'ramp': (560, lambda t: ramp(t, 0.30, 1.15, 120, 480), lambda t: 20, True),
    'ramp-fast': (420, lambda t: ramp(t, 0.35, 1.20, 180, 330), lambda t: 20, True),
    'plateau': (600, lambda t: ramp(t, 0.25, 0.68, 120, 420), lambda t: 20, False),
    'steady': (600, lambda t: 0.55, lambda t: 30, False),
    'burst': (600, lambda t: 1.3 if 200 <= t < 245 or 430 <= t < 470 else 0.30, lambda t: 20, False),
    # The interpreter shares some of its memory with others: 84 MiB held are 79 % of the limit, 99 MiB are 94 %.
    'leak': (560, lambda t: 0.25, lambda t: ramp(t, 18, 99, 60, 500), True),
    'leak-fast': (360, lambda t: 0.25, lambda t: ramp(t, 20, 99, 90, 300), True),
    'leak-stops': (560, lambda t: 0.25, lambda t: ramp(t, 18, 84, 60, 500), False),
    'leak-fast-stops': (360, lambda t: 0.25, lambda t: ramp(t, 20, 84, 90, 300), False),
    'sawtooth': (600, lambda t: 0.30, lambda t: 20 + 36 * ((t % 120) / 120), False),
    'neighbour': (600, lambda t: 0.35 + 0.11 * min(8, int(max(0, t - 100) / 45)), lambda t: 25, True),
    'neighbour-leaves': (600, lambda t: 0.35 + 0.10 * (4 - abs(4 - int(t / 67))), lambda t: 25, False),
}


def work(demand, held, seed):
    rng = random.Random(seed)
    start = time.monotonic()
    blocks = []
    while True:
        slot = time.monotonic()
        t = slot - start
        while len(blocks) < held(t) - 10:  # the interpreter itself is about 10 MiB
            block = bytearray(MIB)
            block[::4096] = b'x' * 256
            blocks.append(block)
        while len(blocks) > max(0, held(t) - 10):
            blocks.pop()
        busy = time.process_time() + max(0.0, demand(t) * (1 + rng.gauss(0, 0.12))) * CORES * PERIOD
        while time.process_time() < busy:
            pass
        time.sleep(max(0.0, slot + PERIOD - time.monotonic()))


class Cgroup:
    def __init__(self, name):
        self.paths = {c: f'/sys/fs/cgroup/{c}/forecast-{name}-{os.getpid()}' for c in ('cpu', 'cpuacct', 'memory')}
        for path in self.paths.values():
            os.mkdir(path)
        self.write('cpu', 'cpu.cfs_period_us', 100000)
        self.write('cpu', 'cpu.cfs_quota_us', int(CORES * 100000))
        self.write('memory', 'memory.limit_in_bytes', MEMORY)

    def write(self, controller, file, value):
        with open(f'{self.paths[controller]}/{file}', 'w', encoding='ascii') as out:
            out.write(str(value))

    def read(self, controller, file):
        with open(f'{self.paths[controller]}/{file}', encoding='ascii') as text:
            return text.read()

    def field(self, controller, file, name):
        for line in self.read(controller, file).splitlines():
            if line.split()[0] == name:
                return int(line.split()[1])
        return 0

    def sample(self):
        used = int(self.read('memory', 'memory.usage_in_bytes')) - self.field('memory', 'memory.stat', 'inactive_file')
        return (int(self.read('cpuacct', 'cpuacct.usage')) / 1e9, self.field('cpu', 'cpu.stat', 'nr_throttled'),
                self.field('cpu', 'cpu.stat', 'nr_periods'), MEMORY - used)

    def remove(self):
        for path in self.paths.values():
            for _ in range(50):
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.1)


def disk():
    s = os.statvfs('/')
    return s.f_blocks * s.f_frsize, s.f_bavail * s.f_frsize


def row(cores, load, pressure, memory, free, memory_pressure=0.0):
    size, left = disk()
    return f'{cores:g},{min(1, max(0, load)):.4f},{min(1, max(0, pressure)):.4f},{memory >> 10},{max(0, free) >> 10},{memory_pressure:.4f},{size >> 20},{left >> 20}\n'


def seconds(count):
    start = time.monotonic()
    for index in range(1, count + 1):
        time.sleep(max(0.0, start + index - time.monotonic()))
        yield index


def record_group(name, out, seed):
    length, demand, held, _ = SCENARIOS[name]
    group = Cgroup(name)
    child = os.fork()
    if child == 0:
        for controller in group.paths:
            group.write(controller, 'cgroup.procs', os.getpid())
        try:
            work(demand, held, seed)
        finally:
            os._exit(0)
    try:
        cpu, throttled, periods, _ = group.sample()
        at = time.monotonic()
        for _ in seconds(length):
            now = time.monotonic()
            cpu2, throttled2, periods2, free = group.sample()
            out.write(row(CORES, (cpu2 - cpu) / (now - at) / CORES, (throttled2 - throttled) / max(1, periods2 - periods), MEMORY, free))
            cpu, throttled, periods, at = cpu2, throttled2, periods2, now
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        group.remove()


def machine_sample():
    with open('/proc/stat', encoding='ascii') as text:
        ticks = [int(v) for v in text.readline().split()[1:9]]
    memory = {}
    with open('/proc/meminfo', encoding='ascii') as text:
        for line in text:
            key, value = line.split()[:2]
            memory[key] = int(value) << 10
    pressure = []
    for kind in ('cpu', 'memory'):
        with open(f'/proc/pressure/{kind}', encoding='ascii') as text:
            pressure.append(float(text.readline().split()[1].split('=')[1]) / 100)
    return sum(ticks), ticks[3] + ticks[4], memory['MemTotal:'], memory['MemAvailable:'], pressure


def record_machine(out, length):
    total, idle, *_ = machine_sample()
    for _ in seconds(length):
        total2, idle2, memory, free, (cpu_pressure, memory_pressure) = machine_sample()
        out.write(row(os.cpu_count(), 1 - (idle2 - idle) / max(1, total2 - total), cpu_pressure, memory, free, memory_pressure))
        total, idle = total2, idle2


def main():
    name, path = sys.argv[1:3]
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    with gzip.GzipFile(path, 'wb', mtime=0) as packed:
        class Text:
            @staticmethod
            def write(line):
                packed.write(line.encode())
        foreseeable = name != 'machine' and SCENARIOS[name][3]
        Text.write(f'# {name} foreseeable={"yes" if foreseeable else "no"}\n')
        Text.write('cores,cpu_load,cpu_pressure,memory_kib,memory_free_kib,memory_pressure,disk_mib,disk_free_mib\n')
        if name == 'machine':
            record_machine(Text, number)
        else:
            record_group(name, Text, number)


main()
