"""Runs rounds of ours and keepalived by turns: two links, a stream, one link fails."""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from report import write

FAULTS = ("carrier", "silent")
INTERVAL = 0.02
SECONDS = 4
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Namespace:
    """A network namespace that ends with its process."""

    def __init__(self):
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.pid = str(self._holder.pid)
        while os.readlink(f"/proc/{self.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            time.sleep(0.01)
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *command):
        return ["nsenter", "--target", self.pid, "--net", "--", *command]

    def run(self, *command):
        run(*self.command(*command))

    def start(self, *command, **options):
        return subprocess.Popen(self.command(*command), **options)

    def end(self):
        self._holder.kill()
        self._holder.wait()


def within(seconds, question):
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            raise TimeoutError(question)
        time.sleep(0.05)


def fail(namespace, link, fault):
    """Of that end of a link: its carrier goes at the other end, or nothing passes and nobody is told."""
    if fault == "carrier":
        namespace.run("ip", "link", "set", link, "down")
    else:
        namespace.run("iptables", "-I", "OUTPUT", "-o", link, "-j", "DROP")
        namespace.run("iptables", "-I", "INPUT", "-i", link, "-j", "DROP")


def ours(binary, fault):
    """Two nodes with a wire and a link of 250 kbit/s.

    Returns the delays of the messages in ms, from being said until it was known that they came, with the second in which each was said."""
    near, far = Namespace(), Namespace()
    work = tempfile.mkdtemp(prefix="edge-overlay-")
    nodes = []
    try:
        for link in ("wan0", "slow0"):
            run("ip", "link", "add", "name", link, "netns", near.pid, "type", "veth", "peer", "name", link, "netns", far.pid)
        for number, namespace in ((1, near), (2, far)):
            for link, network in (("wan0", 99), ("slow0", 98)):
                namespace.run("ip", "addr", "add", f"10.{network}.0.{number}/24", "dev", link)
                namespace.run("ip", "link", "set", link, "up")
            namespace.run("tc", "qdisc", "add", "dev", "slow0", "root", "tbf", "rate", "250kbit", "burst", "2kb", "latency", "400ms")
            with open(f"{work}/{number}.json", "w") as file:
                json.dump({
                    "Node": {"Name": f"gate-{number}"}, "DataDirectory": f"{work}/{number}", "Engine": {"Socket": f"{work}/none"},
                    "Mqtt": {"Listen": ["127.0.0.1:1883"]}, "Mesh": {"Listen": f"10.99.0.{number}:7900", "Seeds": ["10.99.0.1:7900"], "SiteKey": KEY},
                    "Links": {"Names": ["wan0", "slow0"], "Kinds": ["slow0=6lowpan"]}}, file)
            nodes.append(namespace.start(binary, "run", "--config", f"{work}/{number}.json", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

        def ask(*command):
            return subprocess.run([binary, *command, "--data", f"{work}/1", "--json"], capture_output=True, text=True)

        def is_ready():
            ask("reach", "gate-2")
            answer = ask("paths")
            peers = json.loads(answer.stdout) if answer.returncode == 0 else []
            return bool(peers) and peers[0].get("path", {}).get("link") == "wan0" and sum(path["usable"] for path in peers[0]["paths"]) == 2

        within(20, is_ready)
        time.sleep(2)
        count = int(SECONDS / INTERVAL)
        stream = subprocess.Popen(
            [binary, "reach", "gate-2", "--count", str(count), "--interval", str(int(INTERVAL * 1000)), "--data", f"{work}/1", "--json"],
            stdout=subprocess.PIPE, text=True)
        time.sleep(1 + random.random() * 0.2)
        fail(far, "wan0", fault)
        text, _ = stream.communicate(timeout=60)
        if stream.returncode != 0:
            raise RuntimeError(text[-300:])
        delays, decoder, at = [], json.JSONDecoder(), 0
        while text[at:].strip():
            while text[at].isspace():
                at += 1
            answer, at = decoder.raw_decode(text, at)
            delays.append(answer["milliseconds"])
        return {"sent": count, "delays": delays, "blackout": max(delays)}
    finally:
        for node in nodes:
            node.kill()
            node.wait()
        near.end()
        far.end()
        shutil.rmtree(work)


def keepalived(interval, fault):
    """Two routers that share an address, and somebody who pings it. Returns the longest time without an answer in ms."""
    client, routers = Namespace(), [Namespace(), Namespace()]
    work = tempfile.mkdtemp(prefix="edge-vrrp-")
    running = []
    try:
        client.run("ip", "link", "add", "bridge0", "type", "bridge")
        client.run("ip", "addr", "add", "10.97.0.3/24", "dev", "bridge0")
        client.run("ip", "link", "set", "bridge0", "up")
        for number, router in enumerate(routers, 1):
            run("ip", "link", "add", "name", "lan0", "netns", router.pid, "type", "veth", "peer", "name", f"port{number}", "netns", client.pid)
            client.run("ip", "link", "set", f"port{number}", "master", "bridge0", "up")
            router.run("ip", "addr", "add", f"10.97.0.{number}/24", "dev", "lan0")
            router.run("ip", "link", "set", "lan0", "up")
            with open(f"{work}/{number}.conf", "w") as file:
                file.write(f"""global_defs {{ vrrp_version 3 }}
vrrp_instance shared {{
  state {"MASTER" if number == 1 else "BACKUP"}
  interface lan0
  virtual_router_id 51
  priority {150 - 10 * number}
  advert_int {interval}
  virtual_ipaddress {{ 10.97.0.100/24 dev lan0 }}
}}
""")
            running.append(router.start(
                "keepalived", "--dont-fork", "--vrrp", "--log-console", f"--use-file={work}/{number}.conf", f"--pid={work}/{number}.pid", f"--vrrp_pid={work}/{number}.vrrp",
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

        def is_ready():
            return subprocess.run(client.command("ping", "-c", "1", "-W", "1", "10.97.0.100"), stdout=subprocess.DEVNULL).returncode == 0

        within(30, is_ready)
        time.sleep(3)
        pings = client.start("ping", "-n", "-D", "-i", str(INTERVAL), "-c", str(int(3 * SECONDS / INTERVAL)), "10.97.0.100", stdout=subprocess.PIPE, text=True)
        time.sleep(1 + random.random() * interval)
        if fault == "carrier":
            client.run("ip", "link", "set", "port1", "down")
        else:
            client.run("ip", "link", "set", "port1", "nomaster")  # ARP is gone as well, which a packet filter would let pass
        text, _ = pings.communicate(timeout=60)
        times = [float(line[1:line.index("]")]) for line in text.splitlines() if line.startswith("[") and "bytes from" in line]
        return 1000 * max(later - earlier for earlier, later in zip(times, times[1:]))
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()
        for namespace in (client, *routers):
            namespace.end()
        shutil.rmtree(work)


def main(binary, results, rounds):
    random.seed(1)
    figures = {fault: {"ours": [], "vrrp": [], "vrrp-fast": []} for fault in FAULTS}
    for number in range(1, rounds + 1):
        for fault in FAULTS:
            of = figures[fault]
            of["ours"].append(ours(binary, fault))
            of["vrrp"].append(keepalived(1, fault))
            of["vrrp-fast"].append(keepalived(0.1, fault))
            print(f"{number} {fault}: ours {of['ours'][-1]['blackout']:.0f} ms, keepalived {of['vrrp'][-1]:.0f} ms, at its fastest {of['vrrp-fast'][-1]:.0f} ms", flush=True)
    write(figures, os.path.join(results, "overlay"), rounds, statistics.median)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
