#!/usr/bin/env bash
# A node bridged to a real mosquitto: a backlog of a hundred thousand outlives SIGKILL of the node, drains by itself as soon as mosquitto is back,
# each message once and in order, and gives its disk back.
# shellcheck disable=SC2317 # functions run through check
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=support/tap.sh
. "$here/support/tap.sh"
binary=${EDGE_BINARY:-$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)}
[[ -x $binary ]] || { echo 'not ok - there is no out/*/edge-firmware; run ./build.sh'; exit 1; }

count=100000
near=$((20000 + $$ % 5000)) far=$((26000 + $$ % 5000))
scratch=$(mktemp -d)
node='' mosquitto=''
stop() {
  [[ -z $node ]] || kill -KILL "$node" 2>/dev/null || true
  [[ -z $mosquitto ]] || kill -TERM "$mosquitto" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$scratch"
}
trap stop EXIT

cat >"$scratch/mosquitto.conf" <<EOF
listener $far 127.0.0.1
allow_anonymous true
user root
persistence true
persistence_location $scratch/
max_queued_messages 0
max_packet_size 4096
EOF
cat >"$scratch/node.json" <<EOF
{ "Node": { "Name": "gate-1" }, "DataDirectory": "$scratch/node",
  "Mqtt": { "Listen": ["127.0.0.1:$near"], "AllowAnonymous": true, "Bridges": [{ "Name": "cloud", "Address": "127.0.0.1:$far", "QueuedMessagesMax": 200000,
    "Topics": [{ "Filter": "data/#", "Direction": "Out", "QoS": 2, "RemotePrefix": "site/" }] }] } }
EOF

start_mosquitto() {
  mosquitto -c "$scratch/mosquitto.conf" 2>"$scratch/mosquitto.log" &
  mosquitto=$!
  within 10 mosquitto_pub -p "$far" -t started -n
}
stop_mosquitto() {
  kill -TERM "$mosquitto"
  wait "$mosquitto" || true
  mosquitto=''
}
start_node() {
  "$binary" run --config "$scratch/node.json" >>"$scratch/node.log" 2>&1 &
  node=$!
  within 20 waiting_is_known
}
bridge() { "$binary" bridges --json --data "$scratch/node" | python3 -c "import json, sys; print(json.load(sys.stdin)[0]$1)"; }
waiting_is_known() { bridge '["queuedMessages"]'; }
waits() {
  local waiting
  waiting=$(bridge '["queuedMessages"]')
  [[ $waiting == "$1" ]] || { echo "$waiting wait"; return 1; }
}
connected() { [[ $(bridge '["connected"]') == True ]]; }
disk_is_back() {
  "$binary" status --json --data "$scratch/node" | python3 -c 'import json, sys; disk = json.load(sys.stdin)["broker"]["diskBytes"]; print(disk); sys.exit(disk > 8 << 20)'
}

start_mosquitto
mosquitto_sub -p "$far" -i keeper -c -q 2 -t 'site/#' -E
start_node
check 'the bridge connects' within 10 connected
stop_mosquitto

# Its -l takes no more than there are packet ids.
seq 1 $((count / 2)) | mosquitto_pub -p "$near" -t data/x -q 1 -l
seq $((count / 2 + 1)) "$count" | mosquitto_pub -p "$near" -t data/x -q 1 -l
check "$count messages wait for mosquitto" waits "$count"
kill -KILL "$node"
wait "$node" || true
start_node
check 'they are there after SIGKILL' waits "$count"
# Larger than mosquitto takes: it must not hold up what comes behind it.
head -c 8000 /dev/zero | tr '\0' x | mosquitto_pub -p "$near" -t data/big -q 1 -s
mosquitto_pub -p "$near" -t data/last -q 1 -m last

start_mosquitto
drained_in() {
  within 90 connected
  local from=$EPOCHREALTIME
  within 60 waits 0
  awk -v from="$from" -v to="$EPOCHREALTIME" -v count="$count" 'BEGIN { printf "%.1f s, %.0f messages a second\n", to - from, count / (to - from) }' >&3
}
check 'they drain without another publish' drained_in 3>"$scratch/rate"
echo "# $(cat "$scratch/rate")"
all_once_in_order() {
  mosquitto_sub -p "$far" -i keeper -c -q 2 -t 'site/#' -C $((count + 1)) -W 60 >"$scratch/got"
  { seq "$count"; echo last; } | cmp - "$scratch/got"
}
check 'mosquitto has each once and in order' all_once_in_order
check 'what it does not take is counted' test "$(bridge '["dropped"]["too-large"]')" = 1
check 'the disk is given back' within 30 disk_is_back
tap_exit
