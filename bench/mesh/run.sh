#!/usr/bin/env bash
# Measures membership beside Debian's serf and writes bench/results/mesh.md with plots. As root: it installs what is missing.
#
#   bench/mesh/run.sh                 every case (about 65 minutes)
#   bench/mesh/run.sh --quick         every case in short, printed and not kept
#   bench/mesh/run.sh --case NAME     only this case; its figures are kept in out/bench-mesh; may be given again
#   bench/mesh/run.sh --report        writes the report from what is kept
#   bench/mesh/run.sh --binary FILE   this edge-firmware instead of what build.sh made
#   bench/mesh/run.sh --seed N        who is killed and stopped when
#   bench/mesh/run.sh --list          the cases
#
# 32 real processes of each kind, each in a network namespace with one cable to a router, where packets are lost, cut and counted. What a process says
# on its standard output or error is stamped as it is read, and nobody is asked. All live in a PID namespace: they end with the script, however it ends.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
binary='' passed=()

die() { printf 'mesh bench: %s\n' "$*" >&2; exit 1; }

host_rid() {
  case $(uname -m) in x86_64) echo linux-x64 ;; aarch64) echo linux-arm64 ;; *) echo linux-arm ;; esac
}

need() {
  local missing=() command package
  [[ $(id -u) == 0 ]] || die 'needs root, for namespaces and packet filters'
  while read -r command package; do
    command -v "$command" >/dev/null || missing+=("$package")
  done <<<$'serf serf\niptables iptables\npython3 python3\nip iproute2\nunshare util-linux'
  if ((${#missing[@]})); then
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || die "cannot install ${missing[*]}"
  fi
  binary=${binary:-$root/out/$(host_rid)/edge-firmware}
  [[ -x $binary ]] || die "$binary is missing; run ./build.sh"
}

while (($#)); do
  case $1 in
    --quick | --report) passed+=("$1") ;;
    --case | --seed) passed+=("$1" "${2:?$1 needs a value}"); shift ;;
    --binary) binary=$(realpath "${2:?--binary needs a file}"); shift ;;
    --list) sed -n "s/^    '\([a-z-]*\)': (.*/\1/p" "$here/main.py"; exit ;;
    *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  shift
done
need
exec unshare --pid --fork --kill-child --mount-proc python3 -B "$here/main.py" --root "$root" --binary "$binary" "${passed[@]+"${passed[@]}"}"
