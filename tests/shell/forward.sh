#!/usr/bin/env bash
# Two real nodes with two links between them, and messages that a bridge of the one brings to the other by its ID: at QoS 2 each is to come once and in order, while
# links fail, packets vanish, and either node loses its power. Publisher and subscriber are mosquitto's.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
# shellcheck source=support/namespaces.sh
. "$here/support/namespaces.sh"
into_namespaces 'messages from node to node'

work=$(mktemp -d /tmp/edge-forward-XXXXXX)
trap 'rm -rf "$work"' EXIT

network() {
  make_far
  ip link add name wan0 type veth peer name wan0 netns "$far"
  ip link add name slow0 type veth peer name slow0 netns "$far"
  addresses 1
  addresses 2 behind
}

addresses() {
  "${@:2}" ip addr add "10.99.0.$1/24" dev wan0
  "${@:2}" ip addr add "10.98.0.$1/24" dev slow0
  "${@:2}" ip link set wan0 up
  "${@:2}" ip link set slow0 up
}

# start NUMBER BRIDGES [COMMAND...]: the node, by the command that enters its namespace.
start() {
  local number=$1 bridges=$2
  shift 2
  cat >"$work/gate-$number.json" <<JSON
{ "Node": { "Name": "gate-$number" }, "DataDirectory": "$work/gate-$number", "Engine": { "Socket": "$work/no-engine" },
  "Mqtt": { "Listen": ["127.0.0.1:1883"], "AllowAnonymous": true, "Bridges": $bridges },
  "Mesh": { "Listen": "10.99.0.$number:7900", "Seeds": ["10.99.0.1:7900"], "SiteKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
  "Links": { "Names": ["wan0", "slow0"], "Kinds": ["slow0=6lowpan"] } }
JSON
  start_node "gate-$number" "$@" "${without_capabilities[@]}"
}

start_first() {
  start 1 '[{ "Name": "on", "Node": "gate-2", "Topics": [{ "Filter": "alarm", "QoS": 2, "Priority": 1 }, { "Filter": "data/#", "QoS": 2, "RemotePrefix": "gate-1/" }] }]'
}

start_second() { start 2 '[]' nsenter --target "$far" --net --; }

listen() { behind mosquitto_sub -c -i collector -q 2 -t 'gate-1/data/#' >>"$work/arrived" & }

# publish FIRST LAST SECONDS: numbers as messages, so long between two.
publish() {
  python3 -c '
import sys, time
for number in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    print(number, flush=True)
    time.sleep(float(sys.argv[3]))' "$@" | mosquitto_pub -l -q 2 -t data/number
}

# all LAST: every number up to it has come, once and in order.
all() { [[ $(cat "$work/arrived") == "$(seq 1 "$1")" ]]; }

# goes_on LAST COMMAND...: fifty messages a second for two seconds up to that number, and the command in the middle.
goes_on() {
  local last=$1 publishing
  shift
  publish $((last - 99)) "$last" 0.02 &
  publishing=$!
  sleep 1
  "$@"
  wait "$publishing"
  within 20 all "$last"
}

see() { "$@" || { tail -n 3 "$work/arrived"; node gate-1 bridges; node gate-1 paths; tail -n 20 "$work/gate-1.log" "$work/gate-2.log"; return 1; }; }

cut() { ip link set wan0 down; ip link set slow0 down; }
mend() { ip link set wan0 up; ip link set slow0 up; }
power_cut_there() { stop_node gate-2 KILL; start_second; }
power_cut_here() { stop_node gate-1 KILL; start_first; }

bridged() { node gate-1 bridges --json | jq -e --argjson connected "$1" '.[0] | .connected == $connected and .address == "node gate-2"' >/dev/null; }
queued() { node gate-1 bridges --json | jq -e --argjson count "$1" '.[0].queuedMessages == $count' >/dev/null; }

network >"$work/made" 2>&1 || { not_ok 'two namespaces with two links' "$(cat "$work/made")"; tap_exit; }
start_first
start_second
listen
check 'messages go to a node by its name' see goes_on 100 true
check 'the bridge says that it leads there' within 10 bridged true
check 'none is lost, doubled or late for good when the carrier is lost' see goes_on 200 ip link set wan0 down
ip link set wan0 up
check 'nor when packets vanish' see goes_on 300 iptables -I OUTPUT -o wan0 -j DROP
iptables -D OUTPUT -o wan0 -j DROP
check 'nor when the other node loses its power' see goes_on 400 power_cut_there
cut
publish 401 1400 0
check 'what cannot be delivered waits' see queued 1000
check 'and it is said that nothing leads there' within 15 bridged false
power_cut_here
check 'also over a loss of power' see queued 1000
mend
check 'it is delivered without anything new being published' within 40 all 1400
check 'and then nothing waits' within 10 queued 0

alarmed() { timeout 10 mosquitto_pub -q 2 -t alarm -m fire && grep -q '^fire$' "$work/alarm"; }
behind mosquitto_sub -q 2 -t alarm >"$work/alarm" &
check 'an alarm goes as well' within 10 alarmed
tap_exit
