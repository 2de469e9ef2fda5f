#!/usr/bin/env python3
"""Turns what the evaluator wrote into bench/results/forecast.md and its pictures: report.py WORK RESULTS"""
import collections
import csv
import datetime
import html
import os
import statistics
import sys

WIDTH, HEIGHT, LEFT = 860, 170, 60
OURS, BASELINES = 'forecast', ('static threshold', 'last slope')


class Sum:
    def __init__(self, rows):
        add = lambda name: sum(int(row[name]) for row in rows)
        self.events, self.foreseeable, self.foreseen = add('events'), add('foreseeable'), add('foreseen')
        self.all, self.warnings, self.right, self.seconds = add('foreseen') + add('unannounced'), add('warnings'), add('right'), add('seconds')
        self.leads = [float(lead) for row in rows for lead in row['leads'].split()]

    precision = property(lambda self: self.right / self.warnings if self.warnings else None)
    recall = property(lambda self: self.foreseen / self.foreseeable if self.foreseeable else None)
    recall_of_all = property(lambda self: self.all / self.events if self.events else None)

    def cells(self):
        share = lambda value: '–' if value is None else f'{value:.3f}'
        leads = f'{statistics.median(self.leads):.0f} s, {min(self.leads):.0f} s' if self.leads else '–'
        wrong = (self.warnings - self.right) / (self.seconds / 86400)
        return [share(self.precision), share(self.recall), share(self.recall_of_all), leads, f'{self.right} of {self.warnings}',
                f'{self.foreseen} of {self.foreseeable}', str(self.events), f'{wrong:.2f}']


HEADS = ['precision', 'recall', 'recall, all events', 'warning time: median, least', 'right warnings', 'foreseen', 'events', 'wrong warnings a day']


def table(first, lines):
    out = [f'| {first} | ' + ' | '.join(HEADS) + ' |', '|' + ' --- |' * (len(HEADS) + 1)]
    out += [f'| {name} | ' + ' | '.join(total.cells()) + ' |' for name, total in lines]
    return '\n'.join(out) + '\n'


def picture(path, title, rows, unit, limit, score):
    """One trace: what was, the band a minute ahead, warnings below, trouble in red."""
    every = 1 + len(rows) // 600
    rows = [row for i, row in enumerate(rows) if i % every == 0 or row['trouble'] == '1']
    begin, end = float(rows[0]['second']), float(rows[-1]['second'])
    x = lambda second: LEFT + (WIDTH - LEFT - 15) * (float(second) - begin) / (end - begin)
    y = lambda value: 40 + HEIGHT * (1 - min(1.0, float(value)))
    out = []
    line = lambda name, order=1: ' '.join(f'{x(row["second"]):.1f},{y(row[name]):.1f}' for row in rows[::order])
    if not score:
        out.append(f'<polygon points="{line("high")} {line("low", -1)}" fill="#1f6feb" opacity="0.2"/>')
        out.append(f'<polyline points="{line("expected")}" fill="none" stroke="#1f6feb" stroke-width="1"/>')
    out.append(f'<polyline points="{line("score" if score else "value")}" fill="none" stroke="#24292f" stroke-width="1"/>')
    if score and any(float(row['value']) > 0.45 for row in rows) and 'heat' in path:
        out.append(f'<polyline points="{line("value")}" fill="none" stroke="#d4a72c" stroke-width="1"/>')
    out.append(f'<line x1="{LEFT}" x2="{WIDTH - 15}" y1="{y(limit)}" y2="{y(limit)}" stroke="#cf222e" stroke-dasharray="4 3"/>')
    for name, colour, at in (('warning', '#d4a72c', 46 + HEIGHT), ('trouble', '#cf222e', 56 + HEIGHT)):
        width = max(2.0, every * (WIDTH - LEFT) * 10 / (end - begin))
        out += [f'<rect x="{x(row["second"]):.1f}" y="{at}" width="{width:.1f}" height="7" fill="{colour}"/>' for row in rows if row[name] == '1']
    for value in (0, 0.5, 1):
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.0f}" text-anchor="end">{value * 100:.0f} %</text>')
    hours = end - begin > 7200
    out += [f'<text x="{LEFT}" y="{80 + HEIGHT}">{begin / (3600 if hours else 60):.0f}</text>',
            f'<text x="{WIDTH - 15}" y="{80 + HEIGHT}" text-anchor="end">{end / (3600 if hours else 60):.0f} {"hours" if hours else "minutes"}</text>',
            f'<text x="{LEFT + 250}" y="{80 + HEIGHT}" fill="#9a6700">yellow: warned</text><text x="{LEFT + 380}" y="{80 + HEIGHT}" fill="#cf222e">red: {unit}</text>']
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {90 + HEIGHT}" font-family="sans-serif" font-size="12" fill="#24292f">\n'
                   f'<rect width="{WIDTH}" height="{90 + HEIGHT}" fill="#ffffff"/>\n<text x="12" y="20" font-size="15" font-weight="bold">{html.escape(title)}</text>\n'
                   + '\n'.join(out) + '\n</svg>\n')


def around(rows, before, after):
    first = next((i for i, row in enumerate(rows) if row['trouble'] == '1'), len(rows) - 1)
    last = [i for i, row in enumerate(rows) if row['trouble'] == '1' and (i == 0 or rows[i - 1]['trouble'] == '0')]
    first = last[-1] if before > 3000 and last else first
    return rows[max(0, first - before // 10):first + after // 10]


def main():
    work, results = sys.argv[1:3]
    with open(f'{work}/verdicts.csv', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    pick = lambda **want: Sum([row for row in rows if all(row[key] == value for key, value in want.items())])
    kinds = list(collections.OrderedDict(((row['kind'], row['set']), None) for row in rows))
    out = [f'''# What the node foresees of itself

Written by `bench/forecast/run.sh` on {datetime.date.today()}. The node's own core (`src/Mesh/Forecast`) and two baselines see the same readings, one a second.
An overload is what `OverloadDetector` says it is. A warning is **right** when what it warns of begins 30 s to 15 min later (failure: to 6 h); a later one is wrong,
as is an earlier one. **Recall** is of the events that something announces: a rise of a minute or more, or the same time on two days before; this is said by whoever
made the trace, before anything forecasts it. *All events* counts bursts from nothing as well, which nothing foresees.
Made-up traces: seeds 101-120. Every number of the forecast, and the settings of both baselines (grid search), were chosen on seeds from 1000 on; recorded traces
(`record.py`: loads in a cgroup, and this machine itself while it compiled) took no part in that.
''']
    for name, title in (('overload', 'Overload, made-up traces'), ('failure', 'Failure of the machine, made-up traces'), ('recorded', 'Overload, recorded traces')):
        out.append(f'## {title}\n\n' + table('', [(warner, pick(set=name, warner=warner)) for warner in (OURS, *BASELINES)]))
        out.append('Ours by kind:\n\n' + table('kind', [(kind, pick(set=name, warner=OURS, kind=kind)) for kind, of in kinds if of == name]))
    ours = pick(set='overload', warner=OURS)
    out.append(f'Bar: precision and recall at least 0.9 for overload: {"met" if ours.precision >= 0.9 and ours.recall >= 0.9 else "not met"} '
               f'({ours.precision:.3f}, {ours.recall:.3f}).\n')
    out.append('''What these figures do not show: the recorded traces are few, and on them a plain slope does as well as the forecast. The made-up machines that fail do so in
plain sight: all three find nearly all of them, and what the forecast adds is a score, a reason and more time. A rise that stops just below the limit
(`ramp-stops`, `neighbour-leaves`, `leak-stops`) cannot be told from one that does not before it stops.
''')
    out.append('## Pictures\n\nBlack: what was. Blue: what was expected a minute ahead, with its 90 % band.\n')
    for name, title, unit, limit, score, before, after in (
            ('ramp', 'A load that grows', 'overload', 0.92, False, 900, 300), ('leak', 'A memory leak', 'overload', 0.92, False, 2400, 300),
            ('diurnal-job', 'A job that comes every day, the last day', 'overload', 0.92, False, 3600, 1800), ('neighbour', 'A noisy neighbour', 'overload', 0.92, False, 900, 400),
            ('heat', 'Heat: temperature (yellow, °C as %) and failure score', 'failure', 0.7, True, 3000, 10), ('dying-sd', 'A dying SD card: failure score', 'failure', 0.7, True, 100000, 10)):
        with open(f'{work}/{name}.csv', encoding='utf-8') as file:
            shown = around(list(csv.DictReader(file)), before, after)
        picture(f'{results}/forecast-{name}.svg', title, shown, unit, limit, score)
        out.append(f'![{title}](forecast-{name}.svg)\n')
    with open(f'{results}/forecast.md', 'w', encoding='utf-8') as file:
        file.write('\n'.join(out))


main()
