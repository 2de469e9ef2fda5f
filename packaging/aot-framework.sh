#!/usr/bin/env bash
# Prints the target framework Native AOT can be published with for a RID, for example "net10.0".
#
#   packaging/aot-framework.sh linux-x64
#
# The first candidate is the one in Directory.Build.props; net9.0 follows. A candidate is refused only when a package
# source says that one of its packs does not exist; any other failure (no network, broken SDK) ends the script, because
# an answer guessed from it would be remembered. The answer is kept in out/ until the SDK changes.
# EDGE_AOT_FRAMEWORK=net9.0 skips the probe.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
rid=${1:?usage: aot-framework.sh RID}
cache="$root/out/.aot-framework.$rid"
log="$root/out/.aot-probe.$rid.log"

say() { printf '%s\n' "$*" >&2; }

default_framework() {
  sed -n 's/.*<EdgeTargetFramework[^>]*>\([^<]*\)<.*/\1/p' "$root/Directory.Build.props" | head -n 1
}

# An empty program, restored in a directory of its own: no project of ours can break the answer.
write_probe() {
  local dir=$1 framework=$2
  mkdir -p "$dir"
  cat >"$dir/probe.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>$framework</TargetFramework>
    <RuntimeIdentifier>$rid</RuntimeIdentifier>
    <PublishAot>true</PublishAot>
  </PropertyGroup>
  <ItemGroup>
    <FrameworkReference Include="Microsoft.AspNetCore.App" />
  </ItemGroup>
</Project>
EOF
  # Keep the repository's props (central package versions, analyzers) out of the probe.
  printf '<Project />\n' | tee "$dir/Directory.Build.props" "$dir/Directory.Build.targets" >"$dir/Directory.Packages.props"
}

# 0: restored; 1: a pack is missing (named in the log); ends the script otherwise.
restores() {
  local framework=$1 dir
  dir=$(mktemp -d)
  write_probe "$dir" "$framework"
  if dotnet restore "$dir/probe.csproj" --disable-build-servers -nodeReuse:false >"$log" 2>&1; then
    rm -rf "$dir"
    return 0
  fi
  rm -rf "$dir"
  if grep -qE 'NU110[12]|NETSDK1094|NETSDK1083|NETSDK1203' "$log"; then
    return 1
  fi
  say "aot-framework: the probe for $framework failed, and not because a pack is missing:"
  sed 's/^/  /' "$log" >&2
  say "aot-framework: set EDGE_AOT_FRAMEWORK=net9.0 (or net10.0) to skip the probe"
  exit 2
}

missing_packs() {
  grep -oE 'Unable to find package [A-Za-z0-9_.-]*[A-Za-z0-9_-]' "$log" | sed 's/.* //' | sort -u | paste -sd' '
}

main() {
  if [[ -n ${EDGE_AOT_FRAMEWORK:-} ]]; then
    printf '%s\n' "$EDGE_AOT_FRAMEWORK"
    return
  fi
  mkdir -p "$root/out"
  local key candidates candidate reasons=''
  candidates=$(default_framework)
  key="$(dotnet --version) $candidates"
  if [[ -r $cache && $(sed -n 1p "$cache") == "$key" ]]; then
    sed -n '3,$p' "$cache" >&2
    sed -n 2p "$cache"
    return
  fi
  [[ $candidates == net9.0 ]] || candidates="$candidates net9.0"
  for candidate in $candidates; do
    if restores "$candidate"; then
      { printf '%s\n%s\n' "$key" "$candidate"; printf '%s' "$reasons"; } >"$cache"
      printf '%s' "$reasons" >&2
      printf '%s\n' "$candidate"
      return
    fi
    reasons+="Native AOT for $candidate/$rid is not possible: the package source has no: $(missing_packs)"$'\n'
  done
  printf '%s' "$reasons" >&2
  exit 1
}

main
