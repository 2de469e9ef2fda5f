#!/usr/bin/env bash
# Removes everything a lab run made: processes, mounts, network namespaces, cgroups, files. Safe to call at any time and
# more than once; it touches nothing that does not carry the run's ID.
#
#   tests/Lab/clean.sh RUN          remove that run (for example edge-3f2a90)
#   tests/Lab/clean.sh --stale      remove every run whose owner is no longer alive
#   tests/Lab/clean.sh --check RUN  print what is left of it; exit 1 when there is something
set -uo pipefail

cgroups=/sys/fs/cgroup
lab_home=${EDGE_LAB_HOME:-/var/tmp/edge-lab}

is_run() { [[ $1 =~ ^edge-[0-9a-f]{6}$ ]]; }

# v2: one tree; v1: one tree per controller, plus the hybrid "unified" one.
run_cgroups() {
  local tree
  for tree in "$cgroups" "$cgroups"/*/; do
    [[ -d $tree/$1 && ! -L ${tree%/} ]] && printf '%s\n' "${tree%/}/$1"
  done
}

run_processes() {
  run_cgroups "$1" | while read -r dir; do find "$dir" -name cgroup.procs -exec cat {} + 2>/dev/null; done | sort -un
}

run_mounts() { awk -v d="$lab_home/$1" '$2 == d || index($2, d "/") == 1 { print $2 }' /proc/mounts | sort -r; }

run_namespaces() { find /run/netns -maxdepth 1 -name "$1-*" -printf "%f\n" 2>/dev/null; }

run_links() { ip -o link 2>/dev/null | awk -F': ' '{ print $2 }' | grep "^${1#edge-}-" || true; }

# SIGKILL until nobody is left: a shim may start a process between two looks.
kill_all() {
  local pids tries=0
  while pids=$(run_processes "$1"); [[ -n $pids ]]; do
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null
    ((++tries < 200)) || { echo "lab: processes of $1 do not end: $pids" >&2; return 1; }
    sleep 0.02
  done
}

remove() {
  local run=$1 path tries=0
  kill_all "$run"
  for path in $(run_mounts "$run"); do umount -l "$path" 2>/dev/null; done
  for path in $(run_namespaces "$run"); do ip netns del "$path" 2>/dev/null; done
  for path in $(run_links "$run"); do ip link del "$path" 2>/dev/null; done
  # A cgroup is busy for a moment after its last process has ended.
  while [[ -n $(run_cgroups "$run") ]]; do
    for path in $(run_cgroups "$run"); do find "$path" -depth -type d -exec rmdir {} + 2>/dev/null; done
    ((++tries < 100)) || break
    [[ -z $(run_cgroups "$run") ]] || sleep 0.02
  done
  # --one-file-system: a mount that could not be removed must not lose its content.
  rm -rf --one-file-system "${lab_home:?}/$run" 2>/dev/null
  rmdir "$lab_home" 2>/dev/null
  return 0
}

left_over() {
  local run=$1
  run_processes "$run" | sed 's/^/process /'
  run_mounts "$run" | sed 's/^/mount /'
  run_namespaces "$run" | sed 's/^/namespace /'
  run_links "$run" | sed 's/^/interface /'
  run_cgroups "$run" | sed 's/^/cgroup /'
  [[ ! -e $lab_home/$run ]] || echo "directory $lab_home/$run"
}

check() {
  local left
  left=$(left_over "$1")
  [[ -z $left ]] && return 0
  printf '%s\n' "$left"
  return 1
}

# The owner file holds "pid start-time": a number that was given to another process since does not count as alive.
owner_alive() {
  local pid start
  read -r pid start <"$lab_home/$1/owner" 2>/dev/null || return 1
  [[ $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20) == "$start" ]]
}

stale() {
  local dir run
  for dir in "$lab_home"/edge-*; do
    run=${dir##*/}
    is_run "$run" && [[ -d $dir ]] && ! owner_alive "$run" && remove "$run"
  done
  return 0
}

main() {
  case ${1:-} in
    --stale) stale ;;
    --check) is_run "${2:-}" || exit 2; check "$2" ;;
    *) is_run "${1:-}" || { sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; }; remove "$1" ;;
  esac
}

main "$@"
