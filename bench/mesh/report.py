"""The figures as a table and two plots."""
import json
import math
import os
import re
import statistics
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mqtt'))
import plot  # noqa: E402 - the broker's bars, for other agents

plot.COLOURS['serf'] = '#d4a72c'
KINDS = ('ours', 'serf')


def p99(values):
    """Nearest rank: the worst of fewer than a hundred."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(0.99 * len(ordered)) - 1)]


def spread(values, unit='s', digits=2):
    values = [value for value in values if value is not None]
    if not values:
        return '–'
    return f'**{statistics.median(values):.{digits}f}** ({min(values):.{digits}f}–{max(values):.{digits}f}) {unit}'


def verdict(value, bar):
    return '–' if value is None else 'pass' if value <= bar else 'FALLS SHORT'


def ratio(ours, theirs):
    pairs = [a / b for a, b in zip(ours, theirs) if a and b]
    return f'{statistics.median(pairs):.2f}' if pairs else '–'


def kill_rows(name, outcome, bar):
    rows, figures = [], outcome['figures']
    if bar:
        rows.append((f'{name}: p99 of {len(figures["ours"]["last"])}', *(f'{p99(figures[k]["last"]):.2f} s' for k in KINDS), '', f'≤ {bar} s',
                     verdict(p99(figures['ours']['last']) if not figures['ours']['missed'] else math.inf, bar)))
    rows.append((f'{name}: last of 31 survivors', *(spread(figures[k]['last']) for k in KINDS), ratio(figures['ours']['last'], figures['serf']['last']), '', ''))
    rows.append((f'{name}: first survivor', *(spread(figures[k]['first']) for k in KINDS), ratio(figures['ours']['first'], figures['serf']['first']), '', ''))
    if any(figures[k]['missed'] for k in KINDS):
        rows.append((f'{name}: survivors that had not heard after 90 s', *(str(figures[k]['missed']) for k in KINDS), '', '0', verdict(figures['ours']['missed'], 0)))
    return rows


def false_row(name, outcome):
    figures = outcome['figures']
    texts = [f'{len(figures[k]["false"])} in {figures[k]["seconds"]:.0f} s' for k in KINDS]
    return (f'{name}: false deaths', *texts, '', '0', verdict(len(figures['ours']['false']), 0))


def stop_rows(outcome):
    figures, one = outcome['figures'], outcome['figures']['ours']
    name = f'{one["stopped"]} of 32 stopped 0.2–2 s, {one["pauses"]} times in {one["seconds"]} s'
    return [(f'{name}: false deaths', *(str(len(figures[k]['false'])) for k in KINDS), '', '0', verdict(len(one['false']), 0)),
            ('of them told to somebody', *(str(figures[k]['told']) for k in KINDS), '', '', ''),
            ('suspected and cleared again', *(str(figures[k]['suspected']) for k in KINDS), '', '', '')]


def join_rows(outcome):
    figures = outcome['figures']
    return [('32 start together, all see all: from the first exec', *(spread(figures[k]['first']) for k in KINDS), ratio(figures['ours']['first'], figures['serf']['first']),
             '≤ 0.6 s', verdict(statistics.median(figures['ours']['first']), 0.6)),
            ('not all within a minute', *(f'{figures[k]["first"].count(None)} of {len(figures[k]["first"])}' for k in KINDS), '', '0', 'pass'),
            ('from the last exec', *(spread(figures[k]['last']) for k in KINDS), ratio(figures['ours']['last'], figures['serf']['last']), '', '')]


def split_rows(outcome):
    figures = outcome['figures']
    ours = [math.inf if value is None else value for value in figures['ours']['heal']]
    return [('16/16 for 60 s, then healed → one view', *(spread(figures[k]['heal']) for k in KINDS), ratio(figures['ours']['heal'], figures['serf']['heal']), '≤ 5 s',
             verdict(max(ours), 5)),
            ('members told dead while cut, of 512', *('/'.join(map(str, figures[k]['cut'])) for k in KINDS), '', '', '')]


def traffic_rows(outcome, name, bar):
    figures, rows = outcome['figures'], []
    texts = [f'{figures[k]["bytes"]:.0f} B/s' if k in figures else '–' for k in KINDS]
    rows.append((f'sent a node, idle, {name} (IP level)', *texts, ratio([figures['ours']['bytes']], [figures['serf']['bytes']]) if 'serf' in figures else '', f'≤ {bar} B/s',
                 verdict(figures['ours']['bytes'], bar)))
    rows.append(('packets a second; bytes of it TCP', *(f'{figures[k]["packets"]:.1f}; {figures[k]["tcp"]:.0f} B/s' if k in figures else '–' for k in KINDS), '', '', ''))
    return rows


def grant_rows(outcome):
    figures = outcome['figures']['ours']
    values, rows = figures['milliseconds'], []
    rows.append((f'ask → grant, 3 namespaces, real engines, {len(values)} moves: median', f'{statistics.median(values):.1f} ms', '586 ms (the papers)', '', '≤ 20 ms',
                 verdict(statistics.median(values), 20)))
    rows.append(('worst', f'{max(values):.1f} ms', '', '', '≤ 60 ms', verdict(max(values), 60)))
    for kind in dict.fromkeys(figures['kinds']):
        rows.append((f'of them {kind}', spread([v for k, v in zip(figures['kinds'], values) if k == kind], 'ms', 1), '', '', '', ''))
    return rows


# What a line of the simulation says, and its bar.
SIMULATED = (
    ('simulated: spread of a change to 1000 nodes', r'spread: .*: ([0-9.]+) gossip rounds', 'gossip rounds', 12),
    ('simulated: false deaths, 50 nodes at 5 % loss for 10 h', r'loss: .*: ([0-9]+) deaths', '', 0),
    ('simulated: false deaths, 8 of 32 stopped 0.2–2 s for 10 min', r'stopped: .*: ([0-9]+) deaths', '', 0),
    ('1000 nodes for a simulated hour', r'hour: .* in ([0-9.]+) s;', 's', 60),
    ('random schedules of faults in negotiation: violations', r'negotiation: .*: ([0-9]+) violations', '', 0))


def simulation_rows(outcome):
    rows = []
    for name, pattern, unit, bar in SIMULATED:
        found = re.search(pattern, '\n'.join(outcome['figures']['ours']['lines']))
        if found:
            rows.append((name, f'{found[1]} {unit}'.strip(), '', '', f'≤ {bar} {unit}'.strip() if bar else '0', verdict(float(found[1]), bar)))
    return rows


def rows_of(outcome):
    name = outcome['case']
    return {
        'kill': lambda: kill_rows('kill -9 → all know', outcome, 2.5),
        'kill-loss': lambda: kill_rows('with 20 % loss', outcome, 4) + [false_row('with 20 % loss', outcome)],
        'kill-silent': lambda: kill_rows('silent death (every packet of it lost)', outcome, None),
        'stops': lambda: stop_rows(outcome), 'join': lambda: join_rows(outcome), 'split': lambda: split_rows(outcome),
        'traffic': lambda: traffic_rows(outcome, '`Lan`', 300), 'traffic-lowpower': lambda: traffic_rows(outcome, '`LowPower`', 60), 'grant': lambda: grant_rows(outcome),
        'simulation': lambda: simulation_rows(outcome),
    }[name]()


def line(cells):
    return '| ' + ' | '.join(cells) + ' |'


def show(outcome):
    for row in rows_of(outcome):
        print(line(row), flush=True)


ORDER = ('kill', 'kill-loss', 'kill-silent', 'stops', 'join', 'split', 'traffic', 'traffic-lowpower', 'simulation', 'grant')


def write(kept, results):
    outcomes = {}
    for name in ORDER:
        path = os.path.join(kept, f'{name}.json')
        if os.path.exists(path):
            with open(path, encoding='utf-8') as file:
                outcomes[name] = json.load(file)
    if not outcomes:
        raise SystemExit('mesh bench: nothing was measured yet')
    about = max((outcome['about'] for outcome in outcomes.values()), key=lambda one: one['date'])
    dates = sorted(outcome['about']['date'] for outcome in outcomes.values())
    sizes = sorted({outcome['about']['binary'] for outcome in outcomes.values()})
    text = ['# Membership beside serf', '',
            f'Written by `bench/mesh/run.sh`, measured {dates[0]} to {dates[-1]} UTC: {about["machine"]}, {about["cpus"]} CPUs, Linux {about["kernel"]}; serf {about["serf"]} '
            f'(Debian), `-profile=lan`, not encrypted.',
            f'Ours is the whole node, `edge-firmware` ({", ".join(map(str, sizes))} bytes, Native AOT), in a site with certificates, sealed datagrams, signed offers, no engine, API off, started once before.',
            '32 processes of each kind, each in a network namespace with one cable to a router; both run in turn within a round, or beside one',
            'another where it says so (stops, split, traffic). Knowledge is the line in a survivor\'s log, stamped when it is read; nobody is asked. Figures are medians',
            'with lowest and highest; the third column is the median of ours ÷ serf in pairs. p99 of fewer than 100 is the worst.', '',
            line(('', 'ours', 'serf', 'ours ÷ serf', 'bar', '')), line(['---'] * 6)]
    for name in outcomes:
        text += [line(row) for row in rows_of(outcomes[name])]
    text += ['', 'Kill: the process is gone, its kernel answers for it. Silent death: nothing of it or for it passes any more, as when a cable or power is cut.',
             'A false death is a member that lives and is told dead, by however many; after a kill, a death told once its return has been heard.',
             'Stops: the same members of both stop at the same instants. Join: serf\'s first agent was up before (an agent whose seed is not there ends), ours were not.',
             'Ask → grant is `selectionMs` of the lab\'s moves (`bench/migration.sh`), from the decision to the grant.', '']
    if 'simulation' in outcomes:
        text += ['All that the simulation says (`bench/mesh/simulation`: the cores and the wire by a virtual clock):', '', '```', *outcomes['simulation']['figures']['ours']['lines'],
                 '```', '']
    detection = [(f'{label}: {which}', [(kind, pick(outcomes[name]['figures'][kind]['last'])) for kind in KINDS])
                 for name, label in (('kill', 'kill -9'), ('kill-loss', '20 % loss'), ('kill-silent', 'silent')) if name in outcomes
                 for which, pick in (('median', statistics.median), ('worst', max))]
    view = [(label, [(kind, statistics.median([v for v in outcomes[name]['figures'][kind][key] if v is not None] or [0])) for kind in KINDS])
            for name, key, label in (('join', 'first', 'join from the first exec'), ('join', 'last', 'join from the last exec'), ('split', 'heal', 'healed after 60 s'))
            if name in outcomes]
    for file, title, groups in (('mesh-detection.svg', 'Death → known to the last of 31 survivors, seconds', detection),
                                ('mesh-view.svg', 'Until all 32 see all, seconds, median', view)):
        if groups:
            with open(os.path.join(results, file), 'w', encoding='utf-8') as out:
                out.write(plot.bars(title, groups, {'ours': 'edge-firmware', 'serf': 'serf'}))
            text += [f'![{title}]({file})', '']
    path = os.path.join(results, 'mesh.md')
    with open(path, 'w', encoding='utf-8') as out:
        out.write('\n'.join(text))
    print(f'mesh bench: {path}', flush=True)
