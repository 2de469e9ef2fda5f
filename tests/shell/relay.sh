#!/usr/bin/env bash
# Real nodes in a line of networks: one with WAN, two gateways, two relays behind them and a node without WAN. Whether the first reaches the others by ID, through one and through three
# relays, and what the loss of a gateway costs. The nodes run without any capability, as their unit does.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=${EDGE_BINARY:-$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)}
# shellcheck source=support/tap.sh
. "$here/support/tap.sh"

[[ -x $binary ]] || { not_ok 'there is no out/*/edge-firmware; run ./build.sh'; exit 1; }
if [[ ${1:-} != inside ]]; then
  if ! unshare --pid --net --fork --kill-child --mount-proc sh -c 'ip link set lo up && ip link add name one type veth peer name other && ip link add name both type bridge' 2>/dev/null; then
    skip 'nodes that reach each other through others' 'namespaces, bridges or veth pairs are not allowed here'
    exit 0
  fi
  # Everything that is started ends with the script, however it ends.
  exec unshare --pid --net --fork --kill-child --mount-proc "$0" inside
fi

work=$(mktemp -d /tmp/edge-relay-XXXXXX)
trap 'rm -rf "$work"' EXIT

#   1 ── wan ──┬── 2 ──┬── in ── 4 ── mid ── 5 ── end ── 6
#              └── 3 ──┘
declare -A links=([1]='wan' [2]='wan in' [3]='wan in' [4]='in mid' [5]='mid end' [6]='end') net=([wan]=1 [in]=2 [mid]=3 [end]=4)
declare -A space

network() {
  local name number
  for name in "${!net[@]}"; do
    ip link add name "$name" type bridge forward_delay 0
    ip link set "$name" up
  done
  for number in 1 2 3 4 5 6; do
    unshare --net sleep infinity &
    space[$number]=$!
    until [[ $(readlink "/proc/${space[$number]}/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.02; done
    in_node "$number" ip link set lo up
    for name in ${links[$number]}; do
      ip link add name "$name-$number" type veth peer name "${name}0" netns "${space[$number]}"
      ip link set "$name-$number" master "$name" up
      in_node "$number" ip addr add "10.97.${net[$name]}.$number/24" dev "${name}0"
      in_node "$number" ip link set "${name}0" up
    done
  done
}

in_node() { nsenter --target "${space[$1]}" --net -- "${@:2}"; }

# start NUMBER: the node. Each has a mesh of its own link's nodes at most; the others it only knows from its neighbours.
start() {
  local number=$1 name names=''
  for name in ${links[$number]}; do names+="\"${name}0\", "; done
  name=${links[$number]%% *}
  cat >"$work/config-$number.json" <<JSON
{ "Node": { "Name": "gate-$number" }, "DataDirectory": "$work/data-$number", "Engine": { "Socket": "$work/no-engine" }, "Mqtt": { "Listen": ["127.0.0.1:1883"] },
  "Mesh": { "Listen": "10.97.${net[$name]}.$number:7900", "SiteKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" },
  "Links": { "Names": [${names%, }] } }
JSON
  nsenter --target "${space[$number]}" --net -- setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$binary" run --config "$work/config-$number.json" >>"$work/log-$number" 2>&1 &
  echo $! >"$work/pid-$number"
}

# reaches FROM TO MILLISECONDS: by its name, through a neighbour, within that time.
reaches() {
  "$binary" reach "gate-$2" --data "$work/data-$1" --json >"$work/reach" 2>&1 || { cat "$work/reach"; return 1; }
  jq -e --argjson limit "$3" '.path.via and .milliseconds <= $limit' "$work/reach" >/dev/null || { cat "$work/reach"; return 1; }
}

via() { "$binary" paths --data "$work/data-1" --json | jq -r --arg node "gate-$1/" '.[] | select(.id | startswith($node)) | .path.via | split("/")[0]'; }

shows() { "$binary" paths --data "$work/data-1" | grep -q "wan0 via gate-[23]"; }

median() { jq -s 'map(.milliseconds) | sort | .[length / 2 | floor]'; }

# hop FROM TO: round trip of twenty messages, the one in the middle.
hop() { "$binary" reach "gate-$2" --data "$work/data-$1" --count 20 --interval 50 --json | median; }

# Through three relays, against the links one after the other.
ratio() {
  local whole sum
  whole=$(hop 1 6)
  sum=$(jq -n "$(hop 1 2) + $(hop 2 4) + $(hop 4 5) + $(hop 5 6)")
  echo "# through three relays: $whole ms; the links: $sum ms" >>"$work/figures"
  jq -n -e "$whole <= 3 * $sum" >/dev/null || { echo "$whole ms, the links $sum ms"; return 1; }
}

# stream TO COMMAND...: fifty messages a second for four seconds, and the command after one; all are to come.
stream() {
  local sending to=$1
  shift
  "$binary" reach "gate-$to" --count 200 --interval 20 --json --data "$work/data-1" >"$work/stream" 2>&1 &
  sending=$!
  sleep 1
  "$@"
  wait "$sending" || { tail -n 3 "$work/stream"; return 1; }
  jq -e -s '[length, (map(.milliseconds) | max, (sort | .[length / 2 | floor]))] | if .[0] == 200 and .[1] <= 1500 then . else halt_error end' "$work/stream" |
    jq -r '"# \(.[0]) messages, worst \(.[1]) ms, median \(.[2]) ms"' >>"$work/figures"
}

kill_node() { kill -KILL "$(cat "$work/pid-$1")"; }

see() { "$@" || { tail -n 5 "$work"/log-*; "$binary" paths --data "$work/data-1"; return 1; }; }

network >"$work/made" 2>&1 || { not_ok 'six namespaces in a line' "$(cat "$work/made")"; tap_exit; }
for number in 1 2 3 4 5 6; do start "$number"; done
for number in 1 2 3 4 5 6; do within 10 "$binary" status --data "$work/data-$number" >/dev/null; done

check 'a node behind a gateway is reached by its name, which only the gateway has told' see within 20 reaches 1 4 1000
check 'one behind two relays too' see within 20 reaches 1 5 1000
check 'and one behind three' see within 20 reaches 1 6 1000
check 'once they have met, a message takes a moment' see within 3 reaches 1 6 50
check 'they reach out themselves' see within 10 reaches 6 1 1000
check 'through whom is shown' shows
check 'a round trip takes less than three times the links' see ratio
gateway=$(via 6)
check 'a stream of messages goes on when the gateway is killed, and none is lost' see stream 6 kill_node "${gateway#gate-}"
check 'now through the other one' test "$(via 6)" != "$gateway"
check 'as do other nodes' see within 10 reaches 1 4 500
[[ ! -f $work/figures ]] || cat "$work/figures"
tap_exit
