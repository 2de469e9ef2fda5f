#!/usr/bin/env bash
# Measures what a node costs when nothing happens, and how fast it starts; writes bench/results/footprint.md.
#
#   bench/footprint.sh            2-minute windows after a 30 s warm-up
#   bench/footprint.sh --long     10-minute windows after a 5-minute warm-up
#   bench/footprint.sh --quick    20-second windows after 10 s: for comparing builds, prints but writes no report
#
# As root, after ./build.sh. Four nodes run on loopback ports with a real container engine of their own; everything is
# in one scratch directory and ends with the script. The measured node runs from its own copy of the binary file, so
# that it shares no page of program text with the others: its PSS is what a board with one node would pay.
# EDGE_BINARY names another binary to measure.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
report=$root/bench/results/footprint.md
starts=11 warm_up=30 window=120 interval=10
nodes=4
# The product's bars.
binary_bytes_max=$((16 * 1024 * 1024)) pss_off_kb_max=14000 pss_on_kb_max=24000 cpu_percent_max=1 connack_us_max=25000
work='' pids=()

say() { printf '[%4d s] %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'footprint: %s\n' "$*" >&2; exit 1; }

# within SECONDS COMMAND...
within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

ended() { ! kill -0 "$1" 2>/dev/null || [[ $(ps -o stat= -p "$1") == Z* ]]; }

end_process() {
  kill -TERM "$1" 2>/dev/null || true
  within 10 ended "$1" || kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

clean() {
  local pid i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    pid=${pids[i]}
    end_process "$pid"
  done
  pids=()
  [[ -z $work ]] && return
  # The engine leaves its namespaces' mounts when it was killed.
  awk -v d="$work/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | while read -r path; do umount -l "$path" || true; done
  rm -rf --one-file-system "$work"
}

# --- what runs ---------------------------------------------------------------------------------------------------------

need() {
  local tool
  [[ $(id -u) == 0 ]] || die 'needs root, for the container engine'
  for tool in clang dockerd mosquitto mosquitto_pub mosquitto_sub curl; do
    command -v "$tool" >/dev/null || die "$tool is missing; run ./setup.sh"
  done
  binary=${EDGE_BINARY:-$root/out/$(host_rid)/edge-firmware}
  [[ -x $binary ]] || die "$binary is missing; run ./build.sh"
  "$binary" run --help 2>/dev/null | grep -q -- --config || die 'this build has no "run --config"'
}

host_rid() {
  case $(uname -m) in x86_64) echo linux-x64 ;; aarch64) echo linux-arm64 ;; *) echo linux-arm ;; esac
}

start_engine() {
  mkdir -p "$work/engine"
  dockerd --host "unix://$work/docker.sock" --data-root "$work/engine/data" --exec-root "$work/engine/exec" \
    --pidfile "$work/engine/pid" --bridge none --iptables=false --ip6tables=false >"$work/engine/log" 2>&1 &
  pids+=($!)
  within 60 curl -sf --unix-socket "$work/docker.sock" http://engine/_ping || die "the engine does not start: $(tail -n 3 "$work/engine/log")"
}

# write_config NUMBER DIRECTORY [API-PORT]: the node NUMBER listens on 2188N (MQTT) and 2790N (mesh).
write_config() {
  local number=$1 directory=$2 seed=$(($1 == 1 ? 2 : 1)) api=''
  [[ -z ${3:-} ]] || api=$(printf ',\n  "Api": { "Listen": "127.0.0.1:%s" }' "$3")
  mkdir -p "$directory/data"
  cat >"$directory/config.json" <<EOF
{
  "Node": { "Name": "gate-$number", "Location": "46.0679,11.1211" },
  "DataDirectory": "$directory/data",
  "Mqtt": { "Listen": ["127.0.0.1:2188$number"], "AllowAnonymous": true },
  "Mesh": { "Listen": "127.0.0.1:2790$number", "Seeds": ["127.0.0.1:2790$seed"], "SiteKey": "$site_key" }, "Overlay": { "Port": 6161$number },
  "Engine": { "Socket": "$work/docker.sock" }$api
}
EOF
}

answers() { mosquitto_pub -h 127.0.0.1 -p "$1" -t footprint/up -m x -q 1; }

# start_node NUMBER DIRECTORY BINARY: sets node_pid.
start_node() {
  local number=$1 directory=$2 program=$3
  "$program" run --config "$directory/config.json" >"$directory/log" 2>&1 &
  node_pid=$!
  pids+=("$node_pid")
  within 20 answers "2188$number" || die "node $number does not start: $(tail -n 5 "$directory/log")"
  # What answered may be somebody else.
  kill -0 "$node_pid" 2>/dev/null || die "node $number ended: $(tail -n 5 "$directory/log")"
}

# --- smoke gate: numbers of a broken node are worth nothing -------------------------------------------------------------

smoke() {
  local got=$work/smoke i
  timeout 20 mosquitto_sub -h 127.0.0.1 -p 21881 -t footprint/smoke -q 1 -C 10 -i smoke-sub >"$got" &
  local subscriber=$!
  # SUBACK is not visible from here: a retained message proves nothing either, so publish until ten have come.
  for ((i = 0; i < 100; i++)); do
    mosquitto_pub -h 127.0.0.1 -p 21881 -t footprint/smoke -m "$i" -q 1
    kill -0 "$subscriber" 2>/dev/null || break
  done
  wait "$subscriber" || die 'the measured node does not deliver what is published on it'
  [[ $(wc -l <"$got") == 10 ]] || die 'the measured node delivers wrong messages'
  within 30 sees_peers || die "the measured node does not see its $((nodes - 1)) peers"
}

sees_peers() {
  local number
  "$binary" peers --config "$work/measured/config.json" >"$work/peers" 2>&1 || return 1
  for ((number = 2; number <= nodes; number++)); do grep -q "gate-$number" "$work/peers" || return 1; done
}

# --- measuring ----------------------------------------------------------------------------------------------------------

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
range() { sort -n | sed -n '1p;$p' | paste -sd- | sed 's/-/–/'; }
rollup() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/smaps_rollup"; }
cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
# The kernel's own records of a process's mappings, which are in no PSS: one vm_area_struct each, and page tables; kB.
mapping_records_kb() {
  local each
  each=$(awk '$1 == "vm_area_struct" { print $4 }' /proc/slabinfo)
  awk -v n="$(wc -l <"/proc/$1/maps")" -v each="${each:-200}" '$1 == "VmPTE:" { printf "%d", $2 + n * each / 1000 }' "/proc/$1/status"
}
written_bytes() { sed -n 's/^write_bytes: //p' "/proc/$1/io"; }

# measure_starts: pairs of ours and mosquitto's, interleaved; microseconds into $work/start.{ours,mosquitto}.
measure_starts() {
  local i
  printf 'listener 21880 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\nlog_type error\n' >"$work/mosquitto.conf"
  # The first pair warms the page cache and is not counted.
  for ((i = 0; i <= starts; i++)); do
    "$work/time-to-connack" 21881 "$work/measured/edge-firmware" run --config "$work/measured/config.json" >"$work/one" ||
      die 'the node did not answer CONNECT within 10 s'
    ((i == 0)) || cat "$work/one" >>"$work/start.ours"
    "$work/time-to-connack" 21880 "$(command -v mosquitto)" -c "$work/mosquitto.conf" >"$work/one" || die 'mosquitto did not start'
    ((i == 0)) || cat "$work/one" >>"$work/start.mosquitto"
  done
}

# measure_idle NAME PID: samples into $work/NAME.{pss,rss,anon}, sets cpu and written (bytes an hour).
measure_idle() {
  local name=$1 pid=$2 ticks bytes hertz samples=$((window / interval)) i started
  hertz=$(getconf CLK_TCK)
  say "$name: warm-up of $warm_up s"
  sleep "$warm_up"
  ticks=$(cpu_ticks "$pid") bytes=$(written_bytes "$pid") started=$SECONDS
  say "$name: $samples samples, one each $interval s"
  for ((i = 0; i < samples; i++)); do
    sleep "$interval"
    rollup "$pid" Pss >>"$work/$name.pss"
    rollup "$pid" Rss >>"$work/$name.rss"
    rollup "$pid" Pss_Anon >>"$work/$name.anon"
  done
  cpu=$(awk -v t=$(($(cpu_ticks "$pid") - ticks)) -v h="$hertz" -v s=$((SECONDS - started)) 'BEGIN { printf "%.2f", 100 * t / h / s }')
  written=$((($(written_bytes "$pid") - bytes) * 3600 / (SECONDS - started)))
}

# --- the report ---------------------------------------------------------------------------------------------------------

verdict() { awk -v got="$1" -v bar="$2" 'BEGIN { print got <= bar ? "pass" : "FALLS SHORT" }'; }
milliseconds() { awk '{ printf "%.1f", $1 / 1000 }' <<<"$1"; }
megabytes() { awk '{ printf "%.1f", $1 / 1000 }' <<<"$1"; }

# row WHAT MEASURED BAR VERDICT
row() { printf '| %s | %s | %s | %s |\n' "$@"; }

write_report() {
  local bytes start_ours start_theirs off on
  bytes=$(stat -c %s "$binary")
  start_ours=$(median <"$work/start.ours") start_theirs=$(median <"$work/start.mosquitto")
  off=$(median <"$work/api-off.pss") on=$(median <"$work/api-on.pss")
  [[ $report == /dev/stdout ]] || mkdir -p "${report%/*}"
  {
    printf '# Footprint of an idle node\n\n'
    # shellcheck disable=SC2016 # backticks of Markdown
    printf 'Written by `bench/footprint.sh`%s on %s: %s, %s CPUs, Linux %s, engine %s.\n' "${long:+ --long}" "$(date -u +%F)" \
      "$(uname -m)" "$(nproc)" "$(uname -r | cut -d- -f1)" "$(dockerd --version | sed 's/.*version \([0-9.]*\).*/\1/')"
    printf 'Broker, mesh with %d peers and engine adapter (a real Docker Engine) on. The measured node runs from its own copy of\n' $((nodes - 1))
    printf 'the binary, so it shares no program text with its peers; the C library and OpenSSL are shared with every process\n'
    printf 'that maps them, as on a board. Medians of samples each %d s over %d s after %d s of warm-up; 1 MB = 1000 kB.\n\n' "$interval" "$window" "$warm_up"
    row what measured bar ''
    row --- --- --- ---
    row 'binary, stripped' "$bytes bytes ($(awk -v b="$bytes" 'BEGIN { printf "%.1f", b / 1048576 }') MiB)" '≤ 16 MiB' "$(verdict "$bytes" $binary_bytes_max)"
    row "exec → CONNACK, $starts runs" "$(milliseconds "$start_ours") ms ($(range <"$work/start.ours") µs)" '≤ 25 ms' "$(verdict "$start_ours" $connack_us_max)"
    row 'the same, mosquitto, interleaved' "$(milliseconds "$start_theirs") ms ($(range <"$work/start.mosquitto") µs)" '' ''
    row 'PSS, local API off' "$(megabytes "$off") MB ($(range <"$work/api-off.pss") kB)" '≤ 14 MB' "$(verdict "$off" $pss_off_kb_max)"
    row 'of it private (anonymous)' "$(megabytes "$(median <"$work/api-off.anon")") MB" '' ''
    row "kernel's records of its mappings (in no PSS)" "$(megabytes "$records") MB" '' ''
    row 'PSS, local API on' "$(megabytes "$on") MB ($(range <"$work/api-on.pss") kB)" '≤ 24 MB' "$(verdict "$on" $pss_on_kb_max)"
    row 'of it private (anonymous)' "$(megabytes "$(median <"$work/api-on.anon")") MB" '' ''
    row 'RSS, API off / on' "$(megabytes "$(median <"$work/api-off.rss")") / $(megabytes "$(median <"$work/api-on.rss")") MB" '' ''
    row 'CPU of one core, API off' "$cpu_off %" '< 1 %' "$(verdict "$cpu_off" $cpu_percent_max)"
    row 'CPU of one core, API on' "$cpu_on %" '< 1 %' "$(verdict "$cpu_on" $cpu_percent_max)"
    row 'written to disk' "$written_off bytes an hour" '' ''
  } | if [[ $report == /dev/stdout ]]; then cat; else tee "$report"; fi
}

parse() {
  long=''
  case ${1:-} in
    '') ;;
    --long) long=yes warm_up=300 window=600 ;;
    --quick) report=/dev/stdout warm_up=10 window=20 interval=4 ;;
    *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
}

main() {
  local number node_pid
  parse "$@"
  need
  work=$(mktemp -d)
  trap clean EXIT
  trap 'exit 130' INT TERM HUP
  site_key=$(head -c 32 /dev/urandom | base64 -w0)
  clang -O2 -o "$work/time-to-connack" "$root/bench/footprint/time-to-connack.c"
  say 'container engine'
  start_engine
  for ((number = 1; number <= nodes; number++)); do write_config "$number" "$work/node-$number"; done
  mv "$work/node-1" "$work/measured"
  sed -i "s#/node-1/#/measured/#" "$work/measured/config.json"
  cp "$binary" "$work/measured/edge-firmware"
  cp "$binary" "$work/edge-firmware"
  # As on a board that has booted: the file's pages are clean.
  sync "$work/measured/edge-firmware" "$work/edge-firmware"
  say "$starts starts, ours and mosquitto's in turn"
  measure_starts
  say "$nodes nodes"
  for ((number = 2; number <= nodes; number++)); do start_node "$number" "$work/node-$number" "$work/edge-firmware"; done
  start_node 1 "$work/measured" "$work/measured/edge-firmware"
  smoke
  measure_idle api-off "$node_pid"
  records=$(mapping_records_kb "$node_pid")
  cpu_off=$cpu written_off=$written
  end_process "$node_pid"
  write_config 1 "$work/measured" 21808
  start_node 1 "$work/measured" "$work/measured/edge-firmware"
  smoke
  within 10 curl -s -o "$work/api" http://127.0.0.1:21808/ || die 'the local API does not answer'
  measure_idle api-on "$node_pid"
  cpu_on=$cpu
  write_report
}

main "$@"
