#!/usr/bin/env bash
# A node bridged to a real mosquitto: a backlog of a hundred thousand outlives SIGKILL of the node, drains by itself as soon as mosquitto is back,
# each message once and in order, and gives its disk back. Another bridge, over TLS, has its mosquitto restarted in the middle of a stream.
# shellcheck disable=SC2317 # functions run through check
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"

count=100000 streamed=20000
near=$((20000 + $$ % 2500)) far=$((23000 + $$ % 2500)) far_tls=$((26000 + $$ % 2500))
scratch=$(mktemp -d)
node='' mosquitto=''
stop() {
  [[ -z $node ]] || kill -KILL "$node" 2>/dev/null || true
  [[ -z $mosquitto ]] || kill -TERM "$mosquitto" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$scratch"
}
trap stop EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$scratch/far.key" -out "$scratch/far.pem" 2>/dev/null
cat >"$scratch/mosquitto.conf" <<EOF
listener $far 127.0.0.1
listener $far_tls 127.0.0.1
certfile $scratch/far.pem
keyfile $scratch/far.key
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
    "Topics": [{ "Filter": "data/#", "Direction": "Out", "QoS": 2, "RemotePrefix": "site/" }] },
    { "Name": "vault", "Address": "localhost:$far_tls", "Tls": { "AuthorityFile": "$scratch/far.pem" },
      "Topics": [{ "Filter": "safe/#", "Direction": "Both", "QoS": 2, "RemotePrefix": "vault/" }] }] } }
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
# bridge KEY [BRIDGE]: what it says of itself.
bridge() {
  "$binary" bridges --json --data "$scratch/node" | python3 -c 'import json, sys
print(next(one for one in json.load(sys.stdin) if one["name"] == sys.argv[2])[sys.argv[1]])' "$1" "${2:-cloud}"
}
waiting_is_known() { bridge queuedMessages; }
waits() {
  local waiting
  waiting=$(bridge queuedMessages "${@:2}")
  [[ $waiting == "$1" ]] || { echo "$waiting wait"; return 1; }
}
connected() { [[ $(bridge connected "$@") == True ]]; }
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
check 'what it does not take is counted' test "$(bridge dropped)" = "{'too-large': 1}"
check 'the disk is given back' within 30 disk_is_back

mosquitto_sub -p "$far" -i vault-keeper -c -q 2 -t 'vault/#' -E
check 'a bridge over TLS connects' within 30 connected vault
seq "$streamed" | mosquitto_pub -p "$near" -t safe/x -q 2 -l &
publisher=$!
for _ in 1 2 3; do
  sleep 0.3
  stop_mosquitto
  start_mosquitto
done
wait "$publisher"
check 'it drains' within 60 waits 0 vault
streamed_once_in_order() {
  mosquitto_sub -p "$far" -i vault-keeper -c -q 2 -t 'vault/#' -C "$streamed" -W 30 >"$scratch/streamed"
  seq "$streamed" | cmp - "$scratch/streamed"
}
check 'mosquitto has each once and in order though it was restarted three times meanwhile' streamed_once_in_order
back() {
  local got
  timeout 20 mosquitto_sub -p "$near" -i back -t 'safe/back' -q 1 -C 1 >"$scratch/back" &
  got=$!
  within 10 subscribed
  mosquitto_pub -p "$far" -t vault/safe/back -q 1 -m hello
  wait "$got"
  [[ $(<"$scratch/back") == hello ]]
}
subscribed() { "$binary" clients list --prefix back --data "$scratch/node" | grep -q ' tcp '; }
check 'messages come over it the other way too' back
tap_exit
