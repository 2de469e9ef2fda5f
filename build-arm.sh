#!/usr/bin/env bash
# Cross builds the firmware for ARM boards.
#
#   ./build-arm.sh [--deb] [linux-arm64] [linux-arm]   publish (both by default) to out/<rid>/edge-firmware
#   ./build-arm.sh --check                             compile the whole program for arm64 to object code only
#   ./build-arm.sh --setup                             install Debian's cross toolchain (root)
#
# The publish needs the ARM Native AOT packs of the target framework; when a source does not have them the missing pack
# is named and the exit code is 1. --check needs only what ./build.sh restored: it shows that every line of the program
# compiles for AArch64.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '%s\n' "$*"; }
die() { printf 'build-arm: %s\n' "$*" >&2; exit 1; }

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

gnu_triple() {
  case $1 in
    linux-arm64) echo aarch64-linux-gnu ;;
    linux-arm) echo arm-linux-gnueabihf ;;
    *) die "$1 is not an ARM runtime identifier known here (linux-arm64, linux-arm)" ;;
  esac
}

setup() {
  [[ $(id -u) == 0 ]] || die '--setup needs root'
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    clang lld llvm file gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf libc6-dev-arm64-cross libc6-dev-armhf-cross
}

need_cross_toolchain() {
  local triple=$1 tool
  for tool in dotnet clang ld.lld "$triple-gcc" "$triple-objcopy"; do
    command -v "$tool" >/dev/null || die "$tool is missing; run ./build-arm.sh --setup"
  done
  [[ -d /usr/$triple/lib ]] || die "the $triple sysroot is missing; run ./build-arm.sh --setup"
}

# Debian's cross packages keep headers and libraries in /usr/<triple>, start files in gcc's own directory; clang finds
# both by the target triple, so no --sysroot is needed.
publish() {
  local rid=$1 triple framework stage target
  triple=$(gnu_triple "$rid")
  framework=$("$root/packaging/aot-framework.sh" "$rid") || die "$rid cannot be published: see the missing packs above"
  need_cross_toolchain "$triple"
  target=$root/out/$rid
  stage=$target/.publish
  rm -rf "$stage"
  mkdir -p "$stage"
  say "Native AOT cross publish: $framework $rid ($triple)"
  dotnet publish "$root/src/Firmware/Firmware.csproj" -c Release -r "$rid" -o "$stage" \
    -p:EdgeTargetFramework="$framework" -p:PublishAot=true -p:StripSymbols=true \
    -p:CppCompilerAndLinker=clang -p:LinkerFlavor=lld -p:ObjCopyName="$triple-objcopy" \
    -p:BaseIntermediateOutputPath=obj/aot-"$framework"/ \
    -p:UseSharedCompilation=false --disable-build-servers -nodeReuse:false -v:minimal
  mv -f "$stage/edge-firmware" "$stage/edge-firmware.dbg" "$target/"
  rm -rf "$stage"
  say "$target/edge-firmware: $(stat -c %s "$target/edge-firmware") bytes, $(file -b "$target/edge-firmware" | cut -d, -f1-2)"
}

# The response file of the last x64 publish says which assemblies, features and options make the program.
response_file() {
  local framework=$1 file
  file=$root/src/Firmware/obj/aot-$framework/Release/$framework/linux-x64/native/edge-firmware.ilc.rsp
  [[ -f $file ]] || "$root/build.sh" >&2
  [[ -f $file ]] || die "the publish for linux-x64 left no ${file##*/}"
  printf '%s' "$file"
}

# The compiler lies in the package the runtime pack of the response file was restored beside.
compiler() {
  local packages version
  packages=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: *//; s#/*$##')
  version=$(sed -n 's#.*/microsoft\.netcore\.app\.runtime\.[^/]*/\([^/]*\)/.*#\1#p' "$1" | head -n 1)
  local file=$packages/runtime.linux-x64.microsoft.dotnet.ilcompiler/$version/tools/ilc
  [[ -f $file || -f $file.dll ]] || die "the restored compiler is not at $file"
  printf '%s' "$file"
}

compile_object() {
  local source=$1 object=$2 ilc=$3 response
  response=$object.rsp
  sed -e 's/^--targetarch:.*/--targetarch:arm64/' -e "s#^-o:.*#-o:$object#" -e '/^--exportsfile:/d' \
    -e '/^--instruction-set:/d' "$source" >"$response"
  # Paths in the file are relative to the project.
  if [[ -f $ilc ]]; then
    (cd "$root/src/Firmware" && "$ilc" "@$response")
  else
    (cd "$root/src/Firmware" && dotnet "$ilc.dll" "@$response")
  fi
}

# Our own code and not only the runtime's: mangled names carry the assembly name.
our_symbols() { readelf --symbols --wide "$1" | grep -c 'FUNC.*EdgeFirmware_' || true; }

check() {
  local framework source ilc object machine ours
  [[ $(uname -m) == x86_64 ]] || die '--check starts from the linux-x64 publish and needs an x86_64 machine'
  framework=$("$root/packaging/aot-framework.sh" linux-x64) || die 'no Native AOT packs for linux-x64'
  source=$(response_file "$framework")
  ilc=$(compiler "$source")
  object=$root/out/linux-arm64/edge-firmware.o
  mkdir -p "${object%/*}"
  rm -f "$object"
  compile_object "$source" "$object" "$ilc"
  machine=$(readelf --file-header "$object" | sed -n 's/^ *Machine: *//p; s/^ *Type: *//p' | paste -sd' ')
  [[ $machine == 'REL (Relocatable file) AArch64' ]] || die "$object is '$machine', not an AArch64 object"
  ours=$(our_symbols "$object")
  ((ours > 0)) || die "$object holds no code of ours"
  say "$object: $(stat -c %s "$object") bytes, $machine, $ours functions of ours"
  say "linked: no ($(not_linked_because))"
}

not_linked_because() {
  local reason
  if reason=$("$root/packaging/aot-framework.sh" linux-arm64 2>&1 >/dev/null); then
    echo 'this check ends at object code; ./build-arm.sh links it'
  else
    tail -n 1 <<<"$reason"
  fi
}

main() {
  local deb="" rids=() rid status failed=0
  while (($#)); do
    case $1 in
      --check) check; return ;;
      --setup) setup; return ;;
      --deb) deb=yes ;;
      -h | --help) usage; return ;;
      linux-*) gnu_triple "$1" >/dev/null; rids+=("$1") ;;
      *) usage >&2; die "unknown argument $1" ;;
    esac
    shift
  done
  ((${#rids[@]})) || rids=(linux-arm64 linux-arm)
  for rid in "${rids[@]}"; do
    # Not "if (publish)": a condition would switch errexit off inside.
    set +e
    (set -e; publish "$rid"; [[ -z $deb ]] || "$root/packaging/deb/build-deb.sh" "$rid")
    status=$?
    ((status == 0)) || failed=1
    set -e
  done
  return "$failed"
}

main "$@"
