#!/usr/bin/env bash
# Two real nodes with two links between them, of which one is then lost, silent, or both: whether they still reach each other, over which link, and how soon.
# The nodes run without any capability, as their unit does. The second link stands for a radio; a real one is in radio.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=${EDGE_BINARY:-$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)}
# shellcheck source=support/tap.sh
. "$here/support/tap.sh"

[[ -x $binary ]] || { not_ok 'there is no out/*/edge-firmware; run ./build.sh'; exit 1; }
if [[ ${1:-} != inside ]]; then
  if ! unshare --pid --net --fork --kill-child --mount-proc sh -c 'ip link set lo up && ip link add name one type veth peer name other' 2>/dev/null; then
    skip 'two nodes with two links' 'namespaces or veth pairs are not allowed here'
    exit 0
  fi
  # Everything that is started ends with the script, however it ends.
  exec unshare --pid --net --fork --kill-child --mount-proc "$0" inside
fi

work=$(mktemp -d /tmp/edge-overlay-XXXXXX)
trap 'rm -rf "$work"' EXIT
far=''

network() {
  ip link set lo up
  unshare --net sleep infinity &
  far=$!
  until [[ $(readlink "/proc/$far/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.05; done
  ip link add name wan0 type veth peer name wan0 netns "$far"
  ip link add name slow0 type veth peer name slow0 netns "$far"
  behind ip link set lo up
  addresses 1
  behind_addresses 2
}

addresses() {
  ip addr add "10.99.0.$1/24" dev wan0
  ip addr add "10.98.0.$1/24" dev slow0
  ip link set wan0 up
  ip link set slow0 up
}

behind_addresses() {
  behind ip addr add "10.99.0.$1/24" dev wan0
  behind ip addr add "10.98.0.$1/24" dev slow0
  behind ip link set wan0 up
  behind ip link set slow0 up
}

behind() { nsenter --target "$far" --net -- "$@"; }

# start NUMBER [COMMAND]: the node, by the command that enters its namespace.
start() {
  local number=$1
  shift
  cat >"$work/config-$number.json" <<JSON
{ "Node": { "Name": "gate-$number" }, "DataDirectory": "$work/data-$number", "Engine": { "Socket": "$work/no-engine" }, "Mqtt": { "Listen": ["127.0.0.1:1883"] },
  "Mesh": { "Listen": "10.99.0.$number:7900", "Seeds": ["10.99.0.1:7900"], "SiteKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
  "Links": { "Names": ["wan0", "slow0"], "Kinds": ["slow0=6lowpan"] } }
JSON
  "$@" setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$binary" run --config "$work/config-$number.json" >>"$work/log-$number" 2>&1 &
  echo $! >"$work/pid-$number"
  within 10 "$binary" status --data "$work/data-$number" >/dev/null
}

stop() { kill "-$1" "$(cat "$work/pid-$2")" && { wait "$(cat "$work/pid-$2")" || true; }; } 2>/dev/null

# reaches LINK MILLISECONDS: the second node is reached over that link within that time.
reaches() {
  "$binary" reach gate-2 --data "$work/data-1" --json >"$work/reach" 2>&1 || return 1
  python3 -c '
import json, sys
reach = json.load(open(sys.argv[1]))
if reach["path"]["link"] != sys.argv[2] or reach["milliseconds"] > float(sys.argv[3]):
    sys.exit(str(reach))' "$work/reach" "$1" "$2"
}

# in_use LINK [BOTH]: what the node says of its ways.
in_use() {
  "$binary" paths --data "$work/data-1" --json | python3 -c '
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
  "$binary" reach gate-2 --count 150 --interval 20 --json --data "$work/data-1" >"$work/stream" 2>&1 &
  sending=$!
  sleep 1
  "$@"
  wait "$sending" || { tail -n 3 "$work/stream"; return 1; }
  jq -e -s --argjson limit "$limit" '[length, (map(.milliseconds) | max, (sort | .[length / 2 | floor]))] | if .[0] == 150 and .[1] <= $limit then . else halt_error end' \
    "$work/stream" | jq -r '"# \(.[0]) messages, worst \(.[1]) ms, median \(.[2]) ms"' >>"$work/figures"
}

# The kernel tells of a carrier within a second; what is not acknowledged may be noticed before.
told() { grep -q "$1" "$work/log-1"; }

see() { "$@" || { cat "$work/reach" "$work/log-1" "$work/log-2"; "$binary" paths --data "$work/data-1"; return 1; }; }

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

sed 's/gate-1/gate-3/; s/data-1/data-3/; s/"10.99.0.1:7900", "Seeds"/"10.98.0.1:7901", "Seeds"/; s/1883/1884/' "$work/config-1.json" >"$work/config-3.json"
taken() { ! "$binary" run --config "$work/config-3.json" >"$work/taken" 2>&1 && grep -q '^edge-firmware: cannot run: UDP port 61616' "$work/taken"; }
check 'a second node on the machine says that the port is taken' taken

stop KILL 2
start 2 nsenter --target "$far" --net --
again() { "$binary" reach gate-2 --data "$work/data-1" >"$work/reach" 2>&1; }
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
check 'nor does it end the node' kill -0 "$(cat "$work/pid-1")"
stop TERM 2
stop TERM 1
cat "$work/figures"
tap_exit
