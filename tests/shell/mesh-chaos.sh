#!/usr/bin/env bash
# Twenty real nodes on this machine: SIGKILL, SIGSTOP, a cut in two, clocks that jump a year; who is a member, and that no workload is lost or doubled.
#
#   mesh-chaos.sh                  one round (about 90 s)
#   mesh-chaos.sh --long           ten rounds
#   mesh-chaos.sh --seed N         who is hit; the seed of a run is printed
#
# Each node lives in a network namespace of its own, all in a PID namespace: they end with the script, however it ends.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
rounds=1 seed=$RANDOM

while (($#)); do
  case $1 in
    --long) rounds=10 ;;
    --seed) seed=${2:?--seed needs a number}; shift ;;
    *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  shift
done
if ! unshare --pid --net --fork --kill-child --mount-proc ip link set lo up 2>/dev/null; then
  skip 'mesh under faults' 'namespaces are not allowed here'
  exit 0
fi
exec unshare --pid --fork --kill-child --mount-proc python3 -B "$here/support/mesh_chaos.py" "$binary" "$rounds" "$seed"
