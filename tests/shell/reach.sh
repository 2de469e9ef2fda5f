#!/usr/bin/env bash
# Two real nodes with two links between them, of which one is then lost, silent, or both: whether they still reach each other, over which link, and how soon.
# The nodes run without any capability, as their unit does. The second link stands for a radio; a real one is in radio.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
# shellcheck source=support/namespaces.sh
. "$here/support/namespaces.sh"
into_namespaces 'two nodes with two links'

work=$(mktemp -d /tmp/edge-overlay-XXXXXX)
trap 'rm -rf "$work"' EXIT

network() {
  make_far
  ip link add name wan0 type veth peer name wan0 netns "$far"
  ip link add name slow0 type veth peer name slow0 netns "$far"
  addresses 1
  addresses 2 behind
}

# addresses NUMBER [COMMAND...]: of that node, by the command that enters its namespace.
addresses() {
  "${@:2}" ip addr add "10.99.0.$1/24" dev wan0
  "${@:2}" ip addr add "10.98.0.$1/24" dev slow0
  "${@:2}" ip link set wan0 up
  "${@:2}" ip link set slow0 up
}

# start NUMBER [COMMAND...]: the node, by the command that enters its namespace.
start() {
  local number=$1
  shift
  cat >"$work/gate-$number.json" <<JSON
{ "Node": { "Name": "gate-$number" }, "DataDirectory": "$work/gate-$number", "Engine": { "Socket": "$work/no-engine" }, "Mqtt": { "Listen": ["127.0.0.1:1883"] },
  "Mesh": { "Listen": "10.99.0.$number:7900", "Seeds": ["10.99.0.1:7900"], "SiteKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
  "Links": { "Names": ["wan0", "slow0"], "Kinds": ["slow0=6lowpan"] } }
JSON
  start_node "gate-$number" "$@" "${without_capabilities[@]}"
}

# reaches LINK MILLISECONDS: the second node is reached over that link within that time.
reaches() {
  node gate-1 reach gate-2 --json >"$work/reach" 2>&1 || return 1
  python3 -c '
import json, sys
reach = json.load(open(sys.argv[1]))
if reach["path"]["link"] != sys.argv[2] or reach["milliseconds"] > float(sys.argv[3]):
    sys.exit(str(reach))' "$work/reach" "$1" "$2"
}

# in_use LINK [BOTH]: what the node says of its ways.
in_use() {
  node gate-1 paths --json | python3 -c '
import json, sys
peer = json.load(sys.stdin)[0]
usable = sorted({path["link"] for path in peer["paths"] if path["usable"]})
if peer.get("path", {}).get("link") != sys.argv[1] or (len(sys.argv) > 2 and usable != ["slow0", "wan0"]):
    sys.exit(str(peer))' "$@"
}

# stream LIMIT COMMAND...: fifty messages a second for three seconds, and the command after one; all are to come, none later than that many milliseconds.
stream() {
  local limit=$1 sending
  shift
  node gate-1 reach gate-2 --count 150 --interval 20 --json >"$work/stream" 2>&1 &
  sending=$!
  sleep 1
  "$@"
  wait "$sending" || { tail -n 3 "$work/stream"; return 1; }
  jq -e -s --argjson limit "$limit" '[length, (map(.milliseconds) | max, (sort | .[length / 2 | floor]))] | if .[0] == 150 and .[1] <= $limit then . else halt_error end' \
    "$work/stream" | jq -r '"# \(.[0]) messages, worst \(.[1]) ms, median \(.[2]) ms"' >>"$work/figures"
}

# The kernel tells of a carrier within a second; what is not acknowledged may be noticed before.
told() { grep -q "$1" "$work/gate-1.log"; }

see() { "$@" || { cat "$work/reach" "$work/gate-1.log" "$work/gate-2.log"; node gate-1 paths; return 1; }; }

network >"$work/made" 2>&1 || { not_ok 'two namespaces with two links' "$(cat "$work/made")"; tap_exit; }
start 1
start 2 nsenter --target "$far" --net --
check 'nodes of a link know of each other by their ID' within 10 reaches wan0 5000
check 'once they have met, a message takes a few milliseconds' see reaches wan0 50
check 'both links lead there, and the better one is used' within 10 in_use wan0 both

check 'a stream of messages goes on when the carrier is lost' see stream 1000 behind ip link set wan0 down
check 'now over the other link' see reaches slow0 500
check 'and why is told' told 'path-changed: \(no carrier on\|nothing acknowledged over\) wan0'
behind ip link set wan0 up
check 'it is used again when it has held for a while' within 30 in_use wan0 both

check 'a stream of messages goes on when packets vanish on the way out' see stream 1500 iptables -I OUTPUT -o wan0 -j DROP
check 'now over the other link' see reaches slow0 1000
check 'and why is told' told 'path-changed: nothing acknowledged over wan0'
iptables -D OUTPUT -o wan0 -j DROP
check 'it is not trusted at once, as it was lost twice' see in_use slow0
check 'but then' within 60 in_use wan0 both

iptables -I INPUT -i wan0 -j DROP
check 'packets that vanish on the way in: the other link within a second' see reaches slow0 1000
iptables -D INPUT -i wan0 -j DROP

sed 's/gate-1/gate-3/g; s/"10.99.0.1:7900", "Seeds"/"10.98.0.1:7901", "Seeds"/; s/1883/1884/' "$work/gate-1.json" >"$work/gate-3.json"
taken() { ! "$binary" run --config "$work/gate-3.json" >"$work/taken" 2>&1 && grep -q '^edge-firmware: cannot run: UDP port 61616' "$work/taken"; }
check 'a second node on the machine says that the port is taken' taken

stop_node gate-2 KILL
start 2 nsenter --target "$far" --net --
again() { node gate-1 reach gate-2 >"$work/reach" 2>&1; }
check 'a node that was killed and started is met again' within 30 again

# Strangers: noise, first datagrams of handshakes without end, names that are nobody's.
behind python3 -c '
import os, random, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
random.seed(1)
for i in range(20000):
    kind = random.choice([0, 1, 2, 3, 4, 5, 6, 7, 200])
    body = os.urandom(random.randrange(0, 200))
    if kind == 1:
        body = bytes([1]) + os.urandom(66)
    if kind == 7:
        body = b"x%d/02:00:00:00:00:00" % i
    s.sendto(bytes([kind]) + body, ("10.99.0.1", 61616))'
check 'noise from a stranger does not keep nodes from each other' within 20 again
check 'nor does it end the node' kill -0 "${pid[gate-1]}"
stop_node gate-2 TERM
stop_node gate-1 TERM
cat "$work/figures"
tap_exit
