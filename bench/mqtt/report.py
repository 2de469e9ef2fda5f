#!/usr/bin/env python3
"""Turns what run.sh measured into bench/results/mqtt.md and its plots.

report.py full DATA RESULTS    writes the report and the plots
report.py print DATA RESULTS   prints the report
report.py guard DATA RESULTS   prints lines that test.sh counts
"""
import collections
import os
import platform
import statistics
import subprocess
import sys
import datetime

import plot

# What is compared, in which metric, the bars of ours / mosquitto and ours / nats-server; "aim" is no bar.
RATES = [
    # case, title, bar to mosquitto, aim to nats-server
    ('qos0-1-1', 'QoS 0, 1→1', 2.5, 1.0),
    ('qos0-4-4', 'QoS 0, 4→4', 2.5, 1.0),
    ('qos1-in-4-4', 'QoS 1 in, QoS 0 out, 4→4', 1.8, 1.2),
    ('fan-out-50', 'fan-out 1→50', 4.0, 1.0),
    ('fan-out-100', 'fan-out 1→100', 4.0, 1.0),
    ('fan-in-50', 'fan-in 50→1', 1.5, None),
    ('shared-1000-5', 'shared subscription 1000→5', 1.5, None),
    ('qos1-both', 'QoS 1 both ways, 4→4', 1.8, None),
    ('qos2-both', 'QoS 2 both ways, 4→4', 1.5, None),
    ('mqtt5-qos1-both', 'the same in MQTT 5, QoS 1', 1.8, None),
]
LATENCIES = [('latency-1-1', '1→1'), ('latency-4-4', '4→4')]
CPU_BAR, LATENCY_BAR, CPU_AIM = 0.7, 1.3, 1.0
# Wide: a neighbour on the machine must not break the build, a broker that became slow must.
GUARD = [
    ('qos0-4-4', 'deliveries', 1.8), ('qos1-both', 'deliveries', 1.3), ('qos2-both', 'deliveries', 1.1), ('fan-out-100', 'deliveries', 2.5),
    ('shared-1000-5', 'deliveries', 0.9),
]
GUARD_COST = [('qos0-4-4', 'cpu_us', 1.0), ('fan-out-100', 'cpu_us', 1.0), ('latency-1-1', 'cpu_us', 1.5), ('latency-1-1', 'p50', 2.5)]


class Data:
    def __init__(self, path):
        self.rows = collections.defaultdict(list)
        with open(path, encoding='utf-8') as file:
            for line in file:
                case, broker, *pairs = line.split()
                self.rows[case, broker].append({key: float(value) for key, value in (pair.split('=') for pair in pairs)})

    def has(self, case, broker='ours'):
        return (case, broker) in self.rows

    def values(self, case, broker, metric):
        return [row[metric] for row in self.rows[case, broker]]

    def median(self, case, broker, metric):
        return statistics.median(self.values(case, broker, metric))

    def ratio(self, case, other, metric, ours='ours', other_case=None):
        """Median, lowest and highest of the ratios of the pairs that were measured one after the other."""
        pairs = zip(self.values(case, ours, metric), self.values(other_case or case, other, metric))
        ratios = [mine / theirs if theirs else float('inf') for mine, theirs in pairs]
        return (statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


def count(value):
    return f'{value / 1e6:.2f} M' if value >= 1e6 else f'{value / 1e3:.1f} k' if value >= 1e3 else f'{value:.0f}'


def spread(ratio):
    return f'**{ratio[0]:.2f}** ({ratio[1]:.2f}–{ratio[2]:.2f})' if ratio else '–'


def at_least(value, bar):
    return 'pass' if value >= bar else 'FALLS SHORT'


def at_most(value, bar):
    return 'pass' if value <= bar else 'FALLS SHORT'


def table(head, rows):
    return '\n'.join('| ' + ' | '.join(row) + ' |' for row in [head, ['---'] * len(head), *rows]) + '\n'


def with_payloads(cases):
    for case, title, *rest in cases:
        yield case, title + ', 64 B', *rest
        yield case + '-1k', title + ', 1 KB', *rest


def rates(data):
    rows = []
    for case, title, bar, aim in with_payloads(RATES):
        if not data.has(case):
            continue
        mosquitto = data.ratio(case, 'mosquitto', 'deliveries')
        nats = data.ratio(case, 'nats', 'deliveries') if data.has(case, 'nats') else None
        lost = sum(data.values(case, 'ours', 'missing') + data.values(case, 'ours', 'doubled'))
        verdict = at_least(mosquitto[0], bar) + (f', {lost:.0f} LOST OR DOUBLED' if lost else '')
        target = '' if aim is None or nats is None else f'≥ {aim} {"reached" if nats[0] >= aim else "missed"}'
        rows.append([title, count(data.median(case, 'ours', 'deliveries')), count(data.median(case, 'mosquitto', 'deliveries')),
                     count(data.median(case, 'nats', 'deliveries')) if nats else '–', spread(mosquitto), f'≥ {bar}', verdict, spread(nats), target])
    return table(['deliveries a second', 'ours', 'mosquitto', 'nats-server', 'ours ÷ mosquitto', 'bar', '', 'ours ÷ nats', 'aim'], rows) if rows else ''


def costs(data):
    rows = []
    cases = [(case, title) for case, title, *_ in with_payloads(RATES)] + [(case, 'QoS 1 both ways, 4000 a second, ' + title) for case, title in LATENCIES]
    for case, title in cases:
        if not data.has(case):
            continue
        mosquitto = data.ratio(case, 'mosquitto', 'cpu_us')
        nats = data.ratio(case, 'nats', 'cpu_us') if data.has(case, 'nats') else None
        rows.append([title, *(f'{data.median(case, broker, "cpu_us"):.2f}' if data.has(case, broker) else '–' for broker in ('ours', 'mosquitto', 'nats')),
                     spread(mosquitto), at_most(mosquitto[0], CPU_BAR), spread(nats), '' if not nats else 'reached' if nats[0] <= CPU_AIM else 'missed'])
    return table(['broker CPU, µs a delivery', 'ours', 'mosquitto', 'nats-server', 'ours ÷ mosquitto', f'≤ {CPU_BAR}', 'ours ÷ nats', f'aim ≤ {CPU_AIM}'], rows) if rows else ''


def latencies(data):
    rows = []
    for case, title in LATENCIES:
        for metric, name in (('p50', 'p50'), ('p99', 'p99'), ('p999', 'p99.9')):
            if not data.has(case):
                continue
            mosquitto = data.ratio(case, 'mosquitto', metric)
            rows.append([f'{title}, {name}', *(f'{data.median(case, broker, metric):.0f}' if data.has(case, broker) else '–' for broker in ('ours', 'mosquitto', 'nats')),
                         spread(mosquitto), '' if metric == 'p999' else f'≤ {LATENCY_BAR}', '' if metric == 'p999' else at_most(mosquitto[0], LATENCY_BAR)])
    return table(['latency at 4000 a second, QoS 1, µs', 'ours', 'mosquitto', 'nats-server', 'ours ÷ mosquitto', 'bar', ''], rows) if rows else ''


def others(data):
    rows = []
    if data.has('durable'):
        rate, memory = data.median('durable', 'ours', 'rate'), data.ratio('durable', 'mosquitto', 'rate')
        rows.append(['QoS 1 acknowledged when durable, 32 publishers', f'{count(rate)} a second', f'{count(data.median("durable", "mosquitto", "rate"))} in memory',
                     '≥ 10 k', at_least(rate, 10_000) + f'; {memory[0]:.2f} × mosquitto (aim 0.5)'])
    loaded = next((case for case, _ in data.rows if case.startswith('idle-subscribers-') and case != 'idle-subscribers-none'), None)
    if loaded and data.has('idle-subscribers-none'):
        ours = data.ratio(loaded, 'ours', 'rate', other_case='idle-subscribers-none')
        theirs = data.ratio(loaded, 'mosquitto', 'rate', ours='mosquitto', other_case='idle-subscribers-none')
        rows.append([f'rate with {loaded.split("-")[-1]} idle subscribers ÷ with none', spread(ours), spread(theirs), '≥ 0.95', at_least(ours[0], 0.95)])
    for case, base, name in (('slow-qos0', 'slow-none', 'QoS 0'), ('slow-qos1', 'slow-none-qos1', 'QoS 1')):
        if not (data.has(case) and data.has(base)):
            continue
        ours, theirs = (data.ratio(case, broker, 'p99', ours=broker, other_case=base) for broker in ('ours', 'mosquitto'))
        rows.append([f'one slow reader among 100, {name}: p99 of the others ÷ without', spread(ours), spread(theirs), '≤ 1.5', at_most(ours[0], 1.5)])
        extra = [(data.median(case, broker, 'private_max') - data.median(base, broker, 'private_max')) / 1000 for broker in ('ours', 'mosquitto')]
        rows.append([f'the same, extra memory, {name}', f'{extra[0]:.1f} MB', f'{extra[1]:.1f} MB', '≤ 8 MB', at_most(extra[0], 8)])
    if data.has('connections'):
        each = {broker: statistics.median(1000 * (row['private_connected'] - row['private_before']) / 5000 for row in data.rows['connections', broker])
                for broker in ('ours', 'mosquitto', 'nats') if data.has('connections', broker)}
        rows.append(['private memory of an idle connection with a subscription, 12 s later', f'{each["ours"]:.0f} B', ', '.join(f'{name} {value:.0f} B' for name, value in each.items() if name != 'ours'),
                     '≤ 3 kB', at_most(each['ours'], 3000)])
        took = data.ratio('connections', 'mosquitto', 'connect_ms')
        rows.append(['5000 connections made, each with a subscription', f'{data.median("connections", "ours", "connect_ms"):.0f} ms',
                     ', '.join(f'{name} {data.median("connections", name, "connect_ms"):.0f} ms' for name in ('mosquitto', 'nats') if data.has('connections', name)),
                     '≤ 2 × mosquitto', at_most(took[0], 2) + f' ({took[0]:.2f})'])
    if data.has('start'):
        own = data.median('start', 'ours', 'start_us') / 1000
        rows.append(['exec → first CONNACK, AOT', f'{own:.1f} ms', ', '.join(f'{name} {data.median("start", name, "start_us") / 1000:.1f} ms' for name in ('mosquitto', 'nats')),
                     '≤ 25 ms', at_most(own, 25)])
    return table(['what', 'ours', 'others', 'bar', ''], rows) if rows else ''


def compilers(data):
    rows = []
    for case, title, *_ in with_payloads(RATES):
        if data.has(case, 'jit'):
            rows.append([title, *(count(data.median(case, broker, 'deliveries')) for broker in ('ours', 'jit')), spread(data.ratio(case, 'jit', 'deliveries')),
                         *(f'{data.median(case, broker, "cpu_us"):.2f}' for broker in ('ours', 'jit'))])
    text = table(['deliveries a second', 'AOT', 'JIT', 'AOT ÷ JIT', 'CPU µs, AOT', 'CPU µs, JIT'], rows) if rows else ''
    rows = [[f'latency at 4000 a second {title}, p50 / p99', *(f'{data.median(case, broker, "p50"):.0f} / {data.median(case, broker, "p99"):.0f} µs' for broker in ('ours', 'jit'))]
            for case, title in LATENCIES if data.has(case, 'jit')]
    if data.has('start', 'jit'):
        rows.append(['exec → first CONNACK', *(f'{data.median("start", broker, "start_us") / 1000:.1f} ms' for broker in ('ours', 'jit'))])
    if data.has('connections', 'jit'):
        rows.append(['private memory before the first client', *(f'{data.median("connections", broker, "private_before") / 1000:.1f} MB' for broker in ('ours', 'jit'))])
    return text + ('\n' + table(['', 'AOT', 'JIT'], rows) if rows else '')


def version(*command):
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        return (said.stdout + said.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return 'unknown'


def head():
    binary = os.environ.get('BROKER_BINARY', '')
    return '\n'.join([
        '# The broker beside mosquitto and nats-server', '',
        f'Written by `bench/mqtt/run.sh` on {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}: {platform.machine()}, {os.cpu_count()} CPUs, '
        f'Linux {platform.release().split("-")[0]}; {version("mosquitto", "-h").split(" version ")[-1].join(["mosquitto ", ""])}, {version("nats-server", "--version")}.',
        f'Ours is the whole node, `edge-firmware` ({os.path.getsize(binary) if os.path.exists(binary) else 0} bytes, Native AOT), with its journal on, no engine and no peers.',
        'All on loopback with one load generator (`bench/mqtt/load.c`), which has a core for itself at most; with two cores it is often the limit.',
        f'{os.environ.get("ROUNDS")} rounds, the brokers in turn, {os.environ.get("SECONDS_EACH")} s each. Ratios are medians of the pairs, with lowest and highest. '
        'CPU is from `/proc/PID/stat`.', 'Throughput: bounded window. Latency: open loop, counted from when each message was due.', '', ''])


def guard(data):
    """The best pair counts: noise slows one side of a pair, a regression slows ours in all of them."""
    failed = False
    for case, metric, bar in [*GUARD, *GUARD_COST]:
        costs_less = (case, metric, bar) in GUARD_COST
        what = f'{case}: {metric} of ours is at {"most" if costs_less else "least"} {bar} times mosquitto\'s'
        ratio = data.ratio(case, 'mosquitto', metric) if data.has(case) and data.has(case, 'mosquitto') else None
        good = ratio is not None and (ratio[1] <= bar if costs_less else ratio[2] >= bar)
        failed |= not good
        print(f'{"ok" if good else "not ok"} - {what} ({"not measured" if ratio is None else f"{ratio[1]:.2f} to {ratio[2]:.2f}"})')
    lost = sum(row['lost'] + row['doubled'] for (_, broker), rows in data.rows.items() if broker == 'ours' for row in rows)
    failed |= lost > 0
    print(f'{"ok" if lost == 0 else "not ok"} - nothing of QoS 1 and 2 was lost or doubled under load')
    return failed


def main():
    mode, path, results = sys.argv[1:]
    data = Data(path)
    if mode == 'guard':
        return guard(data)
    titled = [('Throughput', rates(data)), ('Processor time', costs(data)), ('Latency', latencies(data)), ('Limits and sizes', others(data)), ('AOT and JIT', compilers(data))]
    text = head() + '\n'.join(f'## {title}\n\n{part}' for title, part in titled if part)
    if mode == 'print':
        print(text)
        return False
    os.makedirs(results, exist_ok=True)
    brokers = [('ours', 'edge-firmware'), ('nats', 'nats-server'), ('mosquitto', 'mosquitto')]
    cases = [(case, title) for case, title, *_ in RATES]
    plots = [('mqtt-throughput', 'Deliveries a second, 64 B', 'deliveries', cases), ('mqtt-cpu', 'Broker CPU, µs a delivery, 64 B', 'cpu_us', cases),
             ('mqtt-latency', 'p99 at 4000 messages a second, QoS 1, µs', 'p99', LATENCIES)]
    for name, title, metric, chosen in plots:
        groups = [(label, [(broker, data.median(case, broker, metric)) for broker, _ in brokers if data.has(case, broker)]) for case, label in chosen if data.has(case)]
        with open(os.path.join(results, name + '.svg'), 'w', encoding='utf-8') as file:
            file.write(plot.bars(title, groups, dict(brokers)))
        text += f'\n![{title}]({name}.svg)\n'
    with open(os.path.join(results, 'mqtt.md'), 'w', encoding='utf-8') as file:
        file.write(text)
    print(text)
    return False


if __name__ == '__main__':
    sys.exit(main())
