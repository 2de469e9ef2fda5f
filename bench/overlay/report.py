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
        " (veth with tbf) that both take for 6LoWPAN. Two streams of 50 messages a second, at QoS 1 and 2, from a publisher at one node (mosquitto_pub) by a bridge to the other node's ID to a subscriber"
        " there (mosquitto_sub), both on disk on their way. The figure is the slowest message of a round, from being said until it came. keepalived (VRRP 3): two routers and an address that is pinged 50 times a second;"
        " the longest time without an answer.",
        "",
        "| | QoS 1 | QoS 2 | bar | keepalived, adverts of 1 s | keepalived, adverts of 0.1 s |",
        "|---|---|---|---|---|---|",
    ]
    for fault, of in figures.items():
        blackouts = {qos: [one[qos]["blackout"] for one in of["ours"]] for qos in (1, 2)}
        verdict = "pass" if max(map(max, blackouts.values())) <= LIMITS[fault] else "FAIL"
        lines.append(
            f"| {NAMES[fault]} | {spread(blackouts[1], median)} | {spread(blackouts[2], median)} | {LIMITS[fault]} ms: {verdict} | {spread(of['vrrp'], median)} | {spread(of['vrrp-fast'], median)} |")
    for qos in (1, 2):
        streams = [one[qos] for of in figures.values() for one in of["ours"]]
        lines += ["", f"At QoS {qos}, of {sum(one['sent'] for one in streams)} messages {sum(one['lost'] for one in streams)} were lost and {sum(one['doubled'] for one in streams)} came twice; "
                  f"{sum(one['disordered'] for one in streams)} of {len(streams)} streams were out of order."]
    lines += [
        "", "![delay of each message through a fault](overlay-delay.svg)", "",
        "The delay of each message at QoS 2 of the first round, by when it was said. The wire fails about a second after the first one.", "",
    ]
    with open(f"{path}.md", "w") as file:
        file.write("\n".join(lines))
    with open(f"{path}-delay.svg", "w") as file:
        file.write(plot({fault: of["ours"][0][2]["delays"] for fault, of in figures.items()}))


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
