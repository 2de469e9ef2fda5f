"""Writes overlay.md and the plot of the delays of one stream through each fault."""

LIMITS = {"carrier": 300, "silent": 1500}
NAMES = {"carrier": "the wire's carrier is lost", "silent": "the wire swallows everything, both ways"}
WIDTH, HEIGHT = 760, 240


def spread(values, median):
    return f"**{median(values):.0f}** ({min(values):.0f}-{max(values):.0f}) ms"


def write(figures, path, rounds, median):
    lines = [
        "# Failover between two links",
        "",
        f"`bench/overlay/run.sh`, {rounds} rounds of each kind by turns. Two real nodes (Native AOT, without capabilities) in two network namespaces, between them a wire (veth) and a link of 250 kbit/s"
        " (veth with tbf) that both take for 6LoWPAN; 50 messages a second by ID (`edge-firmware reach`), each timed until its sender knows that the other has dealt with it, so that up to 0.1 s of it is"
        " an acknowledgement that waits on the slow link. The figure is the slowest message of a round. keepalived (VRRP 3): two routers and an address that is pinged 50 times a second; the longest time without an"
        " answer.",
        "",
        "| | ours | bar | keepalived, adverts of 1 s | keepalived, adverts of 0.1 s |",
        "|---|---|---|---|---|",
    ]
    for fault, of in figures.items():
        blackouts = [one["blackout"] for one in of["ours"]]
        verdict = "pass" if max(blackouts) <= LIMITS[fault] else "FAIL"
        lines.append(f"| {NAMES[fault]} | {spread(blackouts, median)} | {LIMITS[fault]} ms: {verdict} | {spread(of['vrrp'], median)} | {spread(of['vrrp-fast'], median)} |")
    sent = sum(one["sent"] for of in figures.values() for one in of["ours"])
    came = sum(len(one["delays"]) for of in figures.values() for one in of["ours"])
    lines += ["", f"Of {sent} messages {sent - came} were lost.", "", "![delay of each message through a fault](overlay-delay.svg)", "",
              "The delay of each message of the first round, by when it was said. The wire fails about a second after the first one.", ""]
    with open(f"{path}.md", "w") as file:
        file.write("\n".join(lines))
    with open(f"{path}-delay.svg", "w") as file:
        file.write(plot({fault: of["ours"][0]["delays"] for fault, of in figures.items()}))


def plot(streams):
    most = max(max(delays) for delays in streams.values()) * 1.1
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 60}" font-family="sans-serif" font-size="12" fill="#24292f">']
    for step in range(5):
        y = HEIGHT + 10 - HEIGHT * step / 4
        parts.append(f'<line x1="50" x2="{WIDTH - 10}" y1="{y:.0f}" y2="{y:.0f}" stroke="#d0d7de"/><text x="44" y="{y + 4:.0f}" text-anchor="end">{most * step / 4:.0f}</text>')
    for number, (name, colour) in enumerate(zip(streams, ("#0969da", "#cf222e"))):
        delays = streams[name]
        for i, delay in enumerate(delays):
            x, y = 50 + (WIDTH - 60) * i / len(delays), HEIGHT + 10 - HEIGHT * delay / most
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}"/>')
        parts.append(f'<circle cx="{60 + number * 300}" cy="{HEIGHT + 46}" r="4" fill="{colour}"/><text x="{70 + number * 300}" y="{HEIGHT + 50}">{NAMES[name]}</text>')
    parts.append(f'<text x="{WIDTH - 10}" y="{HEIGHT + 26}" text-anchor="end">message, 20 ms apart; ms</text></svg>')
    return "\n".join(parts) + "\n"
