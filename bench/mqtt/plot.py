"""Horizontal bar charts as SVG, drawn by hand: no library is worth it for three pictures."""
import html
import math

WIDTH, LABEL, BAR, GAP = 860, 230, 14, 12
COLOURS = {'ours': '#1f6feb', 'nats': '#8c959f', 'mosquitto': '#d4a72c'}


def _short(value):
    if value >= 1e6:
        return f'{value / 1e6:.2f} M'
    if value >= 1e4:
        return f'{value / 1e3:.0f} k'
    return f'{value:.0f}' if value >= 100 else f'{value:.2f}'


def bars(title, groups, names):
    """groups: (label, [(broker, value)...])...; the axis is logarithmic, as the values span three orders of magnitude."""
    values = [value for _, group in groups for _, value in group if value > 0]
    low = 10 ** math.floor(math.log10(min(values, default=1)))
    high = max(values, default=10)
    scale = (WIDTH - LABEL - 80) / max(math.log10(high / low), 1)
    out, y = [], 58
    for index, (broker, name) in enumerate(names.items()):
        x = LABEL + index * 150
        out.append(f'<rect x="{x}" y="32" width="12" height="12" fill="{COLOURS[broker]}"/><text x="{x + 18}" y="42">{html.escape(name)}</text>')
    for label, group in groups:
        out.append(f'<text x="{LABEL - 10}" y="{y + len(group) * BAR / 2 + 4:.0f}" text-anchor="end">{html.escape(label)}</text>')
        for broker, value in group:
            length = max(1.0, scale * math.log10(max(value, low) / low))
            out.append(f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[broker]}"/>'
                       f'<text x="{LABEL + length + 5:.1f}" y="{y + 10}" font-size="11">{_short(value)}</text>')
            y += BAR
        y += GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="12" fill="#24292f">\n'
            f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n<text x="12" y="20" font-size="15" font-weight="bold">{html.escape(title)} (log scale)</text>\n'
            + '\n'.join(out) + '\n</svg>\n')
