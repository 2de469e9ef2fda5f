#!/usr/bin/env bash
# Runs the broker at a steady 20 000 messages a second and looks whether it grows: memory, file descriptors, threads, lost and doubled messages.
#
#   bench/mqtt/soak.sh                ten minutes
#   bench/mqtt/soak.sh --slice        twenty seconds, as lines that test.sh counts
#   bench/mqtt/soak.sh --seconds N    so long in all
#   bench/mqtt/soak.sh --binary FILE  this edge-firmware instead of out/*/edge-firmware
#
# Half of the messages QoS 1 both ways through sessions that outlive their connection, half QoS 0; payload 64 bytes. The load comes in ten parts: what
# the last ones hold is compared with what the third and fourth held, when everything has been used once. Growth up to 1 MB counts as flat.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary='' seconds=600 parts=10 flat_kb=1024 rate=10000 work='' node=''

while (($#)); do
  case $1 in
    --slice) seconds=20 ;;
    --seconds) seconds=${2:?}; shift ;;
    --binary) binary=${2:?}; shift ;;
    *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  shift
done
[[ $binary ]] || binary=$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)
[[ -x $binary ]] || { echo 'not ok - there is no out/*/edge-firmware; run ./build.sh'; exit 1; }

clean() {
  [[ -z $node ]] || kill -TERM "$node" 2>/dev/null || true
  [[ -z $work ]] || rm -rf "$work"
}
trap clean EXIT
work=$(mktemp -d)
clang -O2 -o "$work/load" "$here/load.c"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/config.json" <<END
{ "Node": { "Name": "soak" }, "DataDirectory": "$work/data", "Engine": { "Socket": "/nonexistent" },
  "Mqtt": { "Listen": ["127.0.0.1:$port"], "AllowAnonymous": true } }
END
"$binary" run --config "$work/config.json" >"$work/log" 2>&1 &
node=$!
for ((i = 0; i < 100; i++)); do
  if (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.1
done

# Private memory in kB, file descriptors, threads.
look() {
  printf '%d %d %d\n' "$(awk '/^Private_(Clean|Dirty)/ { kb += $2 } END { print kb }' "/proc/$node/smaps_rollup")" \
    "$(find "/proc/$node/fd" -mindepth 1 | wc -l)" "$(find "/proc/$node/task" -mindepth 1 -maxdepth 1 | wc -l)"
}

field() { tr ' ' '\n' <<<"$2" | sed -n "s/^$1=//p"; }

part_time=$(awk "BEGIN { print $seconds / $parts }")
lost=0 doubled=0
declare -a memory=() handles=() threads=() rates=()
for ((part = 0; part < parts; part++)); do
  "$work/load" --port "$port" --pubs 2 --subs 2 --topics 2 --rate "$rate" --warm-up 0 --time "$part_time" >"$work/qos0" &
  other=$!
  line=$("$work/load" --port "$port" --pubs 2 --subs 2 --topics 2 --qos-in 1 --qos-out 1 --kept --rate "$rate" --warm-up 0 --time "$part_time")
  wait "$other"
  read -r kb descriptors tasks <<<"$(look)"
  memory+=("$kb") handles+=("$descriptors") threads+=("$tasks") rates+=("$(field rate "$line")+$(field rate "$(<"$work/qos0")")")
  lost=$((lost + $(field lost "$line"))) doubled=$((doubled + $(field doubled "$line")))
  printf '# part %d: %s msg/s, %d kB private, %d descriptors, %d threads\n' "$part" "${rates[part]}" "$kb" "$descriptors" "$tasks"
done

least() { printf '%s\n' "$@" | sort -n | head -n 1; }
failed=0
judge() {
  if (($2)); then printf 'ok - %s\n' "$1"; else printf 'not ok - %s\n' "$1"; failed=1; fi
}
early=$(least "${memory[@]:2:2}") late=$(least "${memory[@]: -2}")
judge "soak: private memory went from $early to $late kB in $seconds s" $((late <= early + flat_kb))
judge "soak: descriptors went from ${handles[2]} to ${handles[-1]}" $((handles[-1] <= handles[2] + 2))
judge "soak: threads went from ${threads[2]} to ${threads[-1]}" $((threads[-1] <= threads[2] + 2))
judge "soak: $lost messages of QoS 1 lost, $doubled doubled" $((lost == 0 && doubled == 0))
judge 'soak: the node runs on' "$(kill -0 "$node" 2>/dev/null && echo 1 || echo 0)"
exit "$failed"
