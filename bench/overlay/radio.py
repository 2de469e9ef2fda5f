"""In the lab VM: two nodes with a radio each. Prints a line "figures" and JSON."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time

WORK = "/run/radio-bench"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TOPIC = "site/7/room/3/temperature"
BODY = 32
PACED, PAUSE = 150, 0.2
SECONDS = 30
binary = sys.argv[1]


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def at(node, *command):
    return ["ip", "netns", "exec", node, *command]


def within(seconds, question):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if question():
                return
        except (subprocess.CalledProcessError, KeyError, IndexError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(question)
        time.sleep(0.2)


def address(node):
    links = json.loads(run(*at(node, "ip", "-6", "-json", "addr", "show", "dev", "lowpan0", "scope", "link", "-tentative")))
    return [info["local"] for link in links for info in link.get("addr_info", []) if "local" in info][0]


def network():
    os.makedirs(WORK)
    for number, node in enumerate("ab"):
        run("ip", "netns", "add", node)
        run("iwpan", "phy", f"phy{number}", "set", "netns", "name", node)
        for command in (
            "ip link set lo up", f"iwpan dev wpan{number} set pan_id 0xbeef",
            f"tc qdisc add dev wpan{number} root tbf rate 250kbit burst 2kb latency 400ms",
            f"ip link add link wpan{number} name lowpan0 type lowpan", f"ip link set wpan{number} up", "ip link set lowpan0 up",
        ):
            run(*at(node, *command.split()))
        within(10, lambda: address(node).startswith("fe80"))


def on_air():
    """Bytes that node a has sent and heard."""
    return sum(int(run(*at("a", "cat", f"/sys/class/net/wpan0/statistics/{way}_bytes"))) for way in ("tx", "rx"))


class Listener:
    """Counts what a subscriber gets, with the time at which each came."""

    def __init__(self, node, host, topic, qos):
        self._process = subprocess.Popen(
            at(node, "mosquitto_sub", "-h", host, "-q", str(qos), "-t", topic, "-F", "%p"), stdout=subprocess.PIPE, text=True)
        self.came = []
        threading.Thread(target=self._read, daemon=True).start()
        time.sleep(1)

    def _read(self):
        for line in self._process.stdout:
            self.came.append((time.monotonic(), line.strip()))

    def end(self):
        self._process.kill()
        self._process.wait()


def body(number):
    return str(number).zfill(BODY)


def publish(node, host, topic, qos, count, pause, first=0):
    """Messages one after the other; those that wait go out as fast as they are taken."""
    sender = subprocess.Popen(at(node, "mosquitto_pub", "-h", host, "-q", str(qos), "-l", "-t", topic), stdin=subprocess.PIPE, text=True)
    for number in range(first, first + count):
        sender.stdin.write(body(number) + "\n")
        sender.stdin.flush()
        time.sleep(pause)
    sender.stdin.close()
    return sender


def paced(from_node, to_host, topic, listener, qos):
    """Bytes on air for each message, with all that goes with it."""
    before, had = on_air(), len(listener.came)
    sender = publish(from_node, to_host, topic, qos, PACED, PAUSE)
    within(60, lambda: len(listener.came) >= had + PACED)
    sender.wait()
    time.sleep(2)
    return (on_air() - before) / PACED


def tcp_goodput():
    """Payload a second of one TCP connection, in kbit/s."""
    code = "import socket,sys\ns=socket.socket(socket.AF_INET6)\ns.bind(('::',9000,0,0))\ns.listen()\nc,_=s.accept()\nn=0\nwhile True:\n d=c.recv(4096)\n n+=len(d)\n print(n,flush=True)\n if not d: break"
    server = subprocess.Popen(at("b", "python3", "-c", code), stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    host = f"{address('b')}%lowpan0"
    client = subprocess.Popen(at("a", "python3", "-c", f"import socket\ns=socket.create_connection(('{host}',9000))\nwhile True: s.sendall(bytes(4096))"))
    got = [0]

    def read():
        for line in server.stdout:
            got[0] = int(line)

    threading.Thread(target=read, daemon=True).start()
    time.sleep(5)
    before, started = got[0], time.monotonic()
    time.sleep(SECONDS)
    rate = (got[0] - before) * 8 / (time.monotonic() - started) / 1000
    for process in (client, server):
        process.kill()
        process.wait()
    return rate


def start_node(name, bridges):
    node = name[-1]
    index = int(run(*at(node, "cat", "/sys/class/net/lowpan0/ifindex")))
    with open(f"{WORK}/{name}.json", "w") as file:
        json.dump({
            "Node": {"Name": name}, "DataDirectory": f"{WORK}/{name}", "Engine": {"Socket": f"{WORK}/none"},
            "Mqtt": {"Listen": ["127.0.0.1:1883"], "AllowAnonymous": True, "Bridges": bridges}, "Links": {"Names": ["lowpan0"]},
            "Mesh": {"Listen": f"[{address(node)}%{index}]:7900", "Profile": "LowPower", "SiteKey": KEY}}, file)
    running = subprocess.Popen(at(node, binary, "run", "--config", f"{WORK}/{name}.json"), stdout=subprocess.DEVNULL, stderr=open(f"{WORK}/{name}.log", "w"))
    within(60, lambda: run(binary, "status", "--data", f"{WORK}/{name}", stderr=subprocess.DEVNULL))
    return running


def flood(listener, host, topic, qos):
    """Payload a second of messages that never cease, in kbit/s; the sender goes on."""
    stop = threading.Event()
    sender = subprocess.Popen(at("a", "mosquitto_pub", "-h", host, "-q", str(qos), "-l", "-t", topic), stdin=subprocess.PIPE, text=True)

    def write():
        number = 0
        try:
            while not stop.is_set():
                sender.stdin.write(body(number) + "\n")
                number += 1
                if number % 100 == 0:
                    sender.stdin.flush()
                    while number - len(listener.came) > 2000 and not stop.is_set():
                        time.sleep(0.05)
        except BrokenPipeError:
            pass

    threading.Thread(target=write, daemon=True).start()
    time.sleep(5)
    before, started = len(listener.came), time.monotonic()
    time.sleep(SECONDS)
    rate = (len(listener.came) - before) * BODY * 8 / (time.monotonic() - started) / 1000
    return rate, lambda: (stop.set(), sender.kill(), sender.wait())


def main():
    figures = {"body": BODY, "topic": TOPIC}
    network()
    host = f"{address('b')}%lowpan0"
    with open(f"{WORK}/mosquitto.conf", "w") as file:
        file.write("listener 1883 ::\nallow_anonymous true\n")
    broker = subprocess.Popen(at("b", "mosquitto", "-c", f"{WORK}/mosquitto.conf"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)

    def plain(qos):
        listener = Listener("b", "::1", TOPIC, qos)
        try:
            return paced("a", host, TOPIC, listener, qos)
        finally:
            listener.end()

    for qos in () if len(sys.argv) > 2 else (1, 2):
        figures[f"plain-{qos}"] = plain(qos)
        print("plain", qos, figures[f"plain-{qos}"], flush=True)
    broker.kill()
    broker.wait()
    figures["tcp"] = 168 if len(sys.argv) > 2 else tcp_goodput()
    print("tcp", figures["tcp"], flush=True)

    second = start_node("node-b", [])
    first = start_node("node-a", [{"Name": "on", "Node": "node-b", "Topics": [{"Filter": "alarm", "QoS": 1, "Priority": 1}, {"Filter": "site/#", "QoS": 2}]}])
    listener = Listener("b", "127.0.0.1", TOPIC, 2)
    publish("a", "127.0.0.1", TOPIC, 2, 5, 0.2).wait()
    within(90, lambda: len(listener.came) == 5)
    time.sleep(5)
    before, started = on_air(), time.monotonic()
    time.sleep(PACED * PAUSE)
    figures["idle"] = (on_air() - before) / (time.monotonic() - started)
    for qos in (1, 2):
        figures[f"ours-{qos}"] = paced("a", "127.0.0.1", TOPIC, listener, qos) - figures["idle"] * (PACED * PAUSE + 2) / PACED
        print("ours", qos, figures[f"ours-{qos}"], flush=True)
    figures["goodput"], end = flood(listener, "127.0.0.1", TOPIC, 1)
    print("goodput", figures["goodput"], flush=True)
    alarms = Listener("b", "127.0.0.1", "alarm", 1)
    delays = []
    bell = subprocess.Popen(at("a", "mosquitto_pub", "-h", "127.0.0.1", "-q", "1", "-l", "-t", "alarm"), stdin=subprocess.PIPE, text=True)
    for number in range(100):
        said = time.monotonic()
        bell.stdin.write(body(number) + "\n")
        bell.stdin.flush()
        within(30, lambda: len(alarms.came) > number)
        delays.append(1000 * (alarms.came[number][0] - said))
        time.sleep(0.1)
    end()
    bell.kill()
    figures["urgent"] = sorted(delays)
    print("urgent", statistics.median(delays), max(delays), flush=True)
    for node in (first, second):
        node.terminate()
        node.wait()
    print("figures", json.dumps(figures), flush=True)


main()
