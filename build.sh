#!/usr/bin/env bash
# Builds the firmware: one stripped Native AOT binary, its symbols beside it, and with --deb a Debian package.
#
#   ./build.sh [--deb] [--rid linux-x64]
#
# Output: out/<rid>/edge-firmware, out/<rid>/edge-firmware.dbg, out/<rid>/edge-firmware_<version>_<arch>.deb
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# No build server may outlive the build.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '%s\n' "$*"; }
die() { printf 'build: %s\n' "$*" >&2; exit 1; }

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

host_rid() {
  case $(uname -m) in
    x86_64) echo linux-x64 ;;
    aarch64) echo linux-arm64 ;;
    armv7l) echo linux-arm ;;
    *) die "no .NET runtime identifier is known for $(uname -m)" ;;
  esac
}

need_toolchain() {
  local tool
  for tool in dotnet clang objcopy; do
    command -v "$tool" >/dev/null || die "$tool is missing; run ./setup.sh"
  done
  [[ -e /usr/include/zlib.h ]] || die "zlib1g-dev is missing; run ./setup.sh"
}

# PublishAot travels on the command line: set in the project file it makes every plain restore ask for the AOT packs.
publish() {
  local framework=$1 rid=$2 stage=$3
  dotnet publish "$root/src/Firmware/Firmware.csproj" -c Release -r "$rid" -o "$stage" \
    -p:EdgeTargetFramework="$framework" -p:PublishAot=true -p:StripSymbols=true \
    -p:BaseIntermediateOutputPath=obj/aot-"$framework"/ \
    -p:UseSharedCompilation=false --disable-build-servers -nodeReuse:false -v:minimal
}

# Renamed into place: a node that runs the old file keeps it.
install_output() {
  local stage=$1 target=$2 file
  for file in edge-firmware edge-firmware.dbg; do
    [[ -f $stage/$file ]] || die "the publish made no $file"
    mv -f "$stage/$file" "$target/$file"
  done
}

main() {
  local deb='' rid framework target stage
  rid=$(host_rid)
  while (($#)); do
    case $1 in
      --deb) deb=yes ;;
      --rid) rid=${2:?--rid needs a value}; shift ;;
      -h | --help) usage; return ;;
      *) usage >&2; die "unknown argument $1" ;;
    esac
    shift
  done
  [[ $rid == "$(host_rid)" ]] || die "$rid is not this machine's; use ./build-arm.sh to cross build"
  need_toolchain
  framework=$("$root/packaging/aot-framework.sh" "$rid") || die "no target framework has its Native AOT packs for $rid"
  say "Native AOT publish: $framework $rid"
  target="$root/out/$rid"
  stage="$target/.publish"
  rm -rf "$stage"
  mkdir -p "$stage"
  publish "$framework" "$rid" "$stage"
  install_output "$stage" "$target"
  rm -rf "$stage"
  say "$target/edge-firmware: $(stat -c %s "$target/edge-firmware" | numfmt --to=iec-i --format=%.2f)B ($(stat -c %s "$target/edge-firmware") bytes)"
  [[ -z $deb ]] || "$root/packaging/deb/build-deb.sh" "$rid"
}

main "$@"
