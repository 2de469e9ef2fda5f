"""Writes radio.md from the figures of radio.py."""

import json
import sys


def verdict(ratio, bar, is_most):
    return "pass" if (ratio <= bar) == is_most else "FAIL"


def main(source, target):
    with open(source) as file:
        figures = json.loads(file.read())
    urgent = figures["urgent"]
    p99 = urgent[int(len(urgent) * 0.99) - 1]
    lines = [
        "# Messages over a 6LoWPAN radio",
        "",
        "`bench/overlay/radio.sh`: two nodes (Native AOT) with simulated IEEE 802.15.4 radios (mac802154_hwsim, 6LoWPAN of Debian's kernel, in the lab VM, which QEMU emulates), limited to 250 kbit/s."
        f" Messages of {figures['body']} bytes to `{figures['topic']}`, published by mosquitto_pub. Plain: mosquitto_pub to a mosquitto at the other end of the radio, MQTT 3.1.1 over TCP. Ours: to the own"
        " node, whose bridge brings it to the other node by its ID. Bytes are those of all frames both ways, with all headers, less what an idle pair of nodes says"
        f" ({figures['idle']:.0f} B/s).",
        "",
        "| | plain | ours | ratio | bar |",
        "|---|---|---|---|---|",
    ]
    for qos in (1, 2):
        plain, ours = figures[f"plain-{qos}"], figures[f"ours-{qos}"]
        lines.append(f"| bytes on air for a message at QoS {qos}, five a second | {plain:.0f} | **{ours:.0f}** | {ours / plain:.2f} | 0.60: {verdict(ours / plain, 0.6, True)} |")
    ratio = figures["goodput"] / figures["tcp"]
    lines += [
        f"| payload a second at QoS 1; plain is one TCP stream of large writes | {figures['tcp']:.0f} kbit/s | **{figures['goodput']:.0f} kbit/s** | {ratio:.2f} | 0.6: {verdict(ratio, 0.6, False)} |",
        f"| an urgent message meanwhile, p99 of {len(urgent)} (median {urgent[len(urgent) // 2]:.0f}, worst {urgent[-1]:.0f}) | | **{p99:.0f} ms** | | 2000 ms: {verdict(p99, 2000, True)} |",
        "",
    ]
    with open(target, "w") as file:
        file.write("\n".join(lines))


main(sys.argv[1], sys.argv[2])
