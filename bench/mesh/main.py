"""Runs the cases that are asked for and keeps their figures; see run.sh."""
import argparse
import datetime
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from cases import Bench
from cluster import Ours, Serf, Watch
import report

# name: (full, quick)
CASES = {
    'kill': (lambda b: b.kills('kill', 4, 5), lambda b: b.kills('kill', 1, 3)),
    'kill-loss': (lambda b: b.kills('kill', 4, 5, loss=0.2), lambda b: b.kills('kill', 1, 3, loss=0.2)),
    'kill-silent': (lambda b: b.kills('silent', 2, 5), lambda b: b.kills('silent', 1, 2)),
    'stops': (lambda b: b.stops(600), lambda b: b.stops(30)),
    'join': (lambda b: b.join(7), lambda b: b.join(2)),
    'split': (lambda b: b.split(3, 60), lambda b: b.split(1, 20)),
    'traffic': (lambda b: b.traffic(60, 120), lambda b: b.traffic(10, 30)),
    'traffic-lowpower': (lambda b: b.traffic(240, 180, 'LowPower'), lambda b: b.traffic(10, 30, 'LowPower')),
    'simulation': (None, None),
    'grant': (None, None),
}


def grant(root, binary, quick):
    """The lab's own moves: three namespaces with real engines."""
    moves = '2' if quick else '10'
    output = os.path.join(root, 'out', 'lab')
    subprocess.run(['dotnet', 'build', os.path.join(root, 'tests/Lab/Lab.csproj'), '-c', 'Release', '-o', output, '-v', 'quiet', '--nologo', '-nodeReuse:false',
                    '--disable-build-servers'], check=True, stdout=sys.stderr)
    with tempfile.NamedTemporaryFile() as scratch:
        lab = subprocess.run(
            ['timeout', '900', 'dotnet', 'exec', os.path.join(output, 'EdgeFirmware.Lab.dll'), 'bench-migration', moves, scratch.name],
            stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, 'EDGE_FIRMWARE_BINARY': binary})
    found = re.findall(r'^(.*): \S+ → \S+, selection ([0-9.]+) ms', lab.stdout, re.MULTILINE)
    if not found:
        raise RuntimeError(f'the lab told no move: {lab.stdout}')
    return {'ours': {'kinds': [kind for kind, _ in found], 'milliseconds': [float(ms) for _, ms in found], 'lab ended with': lab.returncode}}


def simulation(root, seed, quick):
    """The cores themselves, by a virtual clock."""
    output = os.path.join(root, 'out', 'mesh-simulation')
    subprocess.run(['dotnet', 'build', os.path.join(root, 'bench/mesh/simulation/MeshSimulation.csproj'), '-c', 'Release', '-o', output, '-v', 'quiet', '--nologo',
                    '-nodeReuse:false', '--disable-build-servers'], check=True, stdout=sys.stderr)
    said = subprocess.run(['dotnet', 'exec', os.path.join(output, 'EdgeFirmware.MeshSimulation.dll'), 'heal' if quick else 'all', str(seed)],
                          stdout=subprocess.PIPE, text=True, check=True)
    return {'ours': {'lines': said.stdout.splitlines()}}


def circumstances(root, binary):
    version = subprocess.run([binary, '--version'], capture_output=True, text=True, check=False).stdout.strip()
    serf = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', 'serf'], capture_output=True, text=True, check=False).stdout
    commit = subprocess.run(['git', '-C', root, 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True, check=False).stdout.strip()
    return {'date': datetime.datetime.now(datetime.timezone.utc).strftime('%F %H:%M'), 'binary': os.path.getsize(binary), 'version': version or commit,
            'serf': serf, 'cpus': os.cpu_count(), 'machine': platform.machine(), 'kernel': platform.release().split('-')[0]}


def stay_ahead():
    """Lines are stamped when they are read: this process must not queue behind 32 others. Its children do not inherit it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError as error:
        print(f'   stamps may be late, real-time priority is not allowed: {error}', flush=True)


def measure(arguments, name, work):
    watch = Watch()
    clusters = []

    def make(kind, count, profile=''):
        directory = tempfile.mkdtemp(dir=work)
        cluster = Ours(count, directory, watch, arguments.binary, profile) if kind == 'ours' else Serf(count, directory, watch)
        clusters.append(cluster)
        cluster.prepare()
        return cluster

    try:
        return CASES[name][arguments.quick](Bench(make, watch, arguments.seed, arguments.quick))
    finally:
        for cluster in clusters:
            cluster.stop_all()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', required=True)
    parser.add_argument('--binary', required=True)
    parser.add_argument('--case', action='append', default=[], choices=list(CASES))
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--report', action='store_true')
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    kept = os.path.join(arguments.root, 'out', 'bench-mesh')
    os.makedirs(kept, exist_ok=True)
    stay_ahead()
    work = tempfile.mkdtemp(prefix='edge-mesh-bench-')
    try:
        for name in [] if arguments.report else arguments.case or CASES:
            print(f'== {name}', flush=True)
            if name == 'grant':
                figures = grant(arguments.root, arguments.binary, arguments.quick)
            elif name == 'simulation':
                figures = simulation(arguments.root, arguments.seed, arguments.quick)
            else:
                figures = measure(arguments, name, work)
            outcome = {'case': name, 'quick': arguments.quick, 'seed': arguments.seed, 'about': circumstances(arguments.root, arguments.binary), 'figures': figures}
            report.show(outcome)
            if not arguments.quick:
                with open(os.path.join(kept, f'{name}.json'), 'w', encoding='utf-8') as file:
                    json.dump(outcome, file, indent=1)
    except KeyboardInterrupt:
        print('mesh bench: interrupted; everything was ended', file=sys.stderr)
        sys.exit(130)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if arguments.report or not (arguments.quick or arguments.case):
        report.write(kept, os.path.join(arguments.root, 'bench', 'results'))


if __name__ == '__main__':
    main()
