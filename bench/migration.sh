#!/usr/bin/env bash
# Measures moves of a workload between three real nodes: selection, bytes sent, freeze, total; planned and by overload.
#
#   bench/migration.sh [MOVES]      default 10 of each kind; writes bench/results/migration.md
#
# As root, after ./build.sh.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
moves=${1:-10}
[[ $moves =~ ^[1-9][0-9]*$ ]] || { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

mkdir -p "$root/bench/results"
dotnet build "$root/tests/Lab/Lab.csproj" -c Release -o "$root/out/lab" -v quiet --nologo -nodeReuse:false --disable-build-servers
exec dotnet exec "$root/out/lab/EdgeFirmware.Lab.dll" bench-migration "$moves" "$root/bench/results/migration.md"
