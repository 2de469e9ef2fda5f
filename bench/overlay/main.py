"""Runs rounds of ours and keepalived by turns: two links, a stream, one link fails."""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
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


def two_nodes(binary, work, near, far):
    """Two nodes with a wire and a link of 250 kbit/s between them; a bridge of the first brings messages to the second by its ID."""
    for link in ("wan0", "slow0"):
        run("ip", "link", "add", "name", link, "netns", near.pid, "type", "veth", "peer", "name", link, "netns", far.pid)
    nodes = []
    for number, namespace in ((1, near), (2, far)):
        for link, network in (("wan0", 99), ("slow0", 98)):
            namespace.run("ip", "addr", "add", f"10.{network}.0.{number}/24", "dev", link)
            namespace.run("ip", "link", "set", link, "up")
        namespace.run("tc", "qdisc", "add", "dev", "slow0", "root", "tbf", "rate", "250kbit", "burst", "2kb", "latency", "400ms")
        topics = [{"Filter": "one", "QoS": 1}, {"Filter": "two", "QoS": 2}]
        with open(f"{work}/{number}.json", "w") as file:
            json.dump({
                "Node": {"Name": f"gate-{number}"}, "DataDirectory": f"{work}/{number}", "Engine": {"Socket": f"{work}/none"},
                "Mqtt": {
                    "Listen": ["127.0.0.1:1883"], "AllowAnonymous": True,
                    "Bridges": [{"Name": "on", "Node": "gate-2", "Topics": topics}] if number == 1 else []},
                "Mesh": {"Listen": f"10.99.0.{number}:7900", "Seeds": ["10.99.0.1:7900"], "SiteKey": KEY},
                "Links": {"Names": ["wan0", "slow0"], "Kinds": ["slow0=6lowpan"]}}, file)
        nodes.append(namespace.start(binary, "run", "--config", f"{work}/{number}.json", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def is_ready():
        ask(binary, work, "reach", "gate-2")
        peers = json.loads(ask(binary, work, "paths") or "[]")
        return bool(peers) and peers[0].get("path", {}).get("link") == "wan0" and sum(path["usable"] for path in peers[0]["paths"]) == 2

    within(20, is_ready)
    return nodes


def ask(binary, work, *command):
    """What the first node answers; nothing before it can."""
    answer = subprocess.run([binary, *command, "--data", f"{work}/1", "--json"], capture_output=True, text=True)
    return answer.stdout if answer.returncode == 0 else ""


class Listener:
    """A subscriber at QoS 2: (number, delay in ms) of each message, in the order in which they came."""

    def __init__(self, namespace, topic):
        self._process = namespace.start("mosquitto_sub", "-q", "2", "-t", topic, "-F", "%U %p", stdout=subprocess.PIPE, text=True)
        self.took = []
        threading.Thread(target=self._read, daemon=True).start()
        time.sleep(0.5)

    def _read(self):
        for line in self._process.stdout:
            came, number, said = line.split()
            self.took.append((int(number), 1000 * (float(came) - float(said))))

    def end(self):
        self._process.kill()
        self._process.wait()


def publish(namespace, topic, qos, count, interval=INTERVAL):
    code = "import sys,time\nfor n in range(int(sys.argv[1])):\n print(n, time.time(), flush=True)\n time.sleep(float(sys.argv[2]))"
    numbers = subprocess.Popen([sys.executable, "-c", code, str(count), str(interval)], stdout=subprocess.PIPE)
    return namespace.start("mosquitto_pub", "-q", str(qos), "-l", "-t", topic, stdin=numbers.stdout)


def ours(binary, fault):
    """Streams at QoS 1 and 2, from a publisher at the one node to a subscriber at the other."""
    near, far = Namespace(), Namespace()
    work = tempfile.mkdtemp(prefix="edge-overlay-")
    nodes = []
    try:
        nodes = two_nodes(binary, work, near, far)
        listeners = {topic: Listener(far, topic) for topic in ("one", "two")}
        time.sleep(2)
        count = int(SECONDS / INTERVAL)
        publishers = [publish(near, "one", 1, count), publish(near, "two", 2, count)]
        time.sleep(1 + random.random() * 0.2)
        fail(far, "wan0", fault)
        for process in publishers:
            process.wait()
        time.sleep(2)
        streams = {}
        for qos, topic in ((1, "one"), (2, "two")):
            took = listeners[topic].took
            numbers = [number for number, _ in took]
            streams[qos] = {
                "sent": count, "delays": [delay for _, delay in took], "lost": count - len(set(numbers)), "doubled": len(numbers) - len(set(numbers)),
                "disordered": numbers != sorted(numbers), "blackout": max(delay for _, delay in took)}
        for listener in listeners.values():
            listener.end()
        return streams
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
            print(f"{number} {fault}: ours {of['ours'][-1][1]['blackout']:.0f} and {of['ours'][-1][2]['blackout']:.0f} ms, keepalived {of['vrrp'][-1]:.0f} ms, at its fastest {of['vrrp-fast'][-1]:.0f} ms", flush=True)
    write(figures, os.path.join(results, "overlay"), rounds, statistics.median)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
