#!/usr/bin/env bash
# Packs out/<rid>/edge-firmware as out/<rid>/edge-firmware_<version>_<arch>.deb.
#
#   packaging/deb/build-deb.sh RID [BINARY]      BINARY instead of out/<rid>/edge-firmware (tests)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

die() { printf 'build-deb: %s\n' "$*" >&2; exit 1; }

debian_architecture() {
  case $1 in
    linux-x64) echo amd64 ;;
    linux-arm64) echo arm64 ;;
    linux-arm) echo armhf ;;
    *) die "no Debian architecture is known for $1" ;;
  esac
}

version() { sed -n 's/.*<VersionPrefix>\([^<]*\)<.*/\1/p' "$root/Directory.Build.props"; }

# The oldest C library the binary runs with: the newest symbol version it asks for.
libc_version() {
  objdump -T "$1" | grep -oE 'GLIBC_[0-9]+(\.[0-9]+)+' | sort -uV | tail -n 1 | cut -d_ -f2
}

install_files() {
  local tree=$1 binary=$2
  install -D -m 0755 "$binary" "$tree/usr/bin/edge-firmware"
  install -D -m 0644 "$root/systemd/edge-firmware.service" "$tree/usr/lib/systemd/system/edge-firmware.service"
  install -D -m 0644 "$here/config.json" "$tree/etc/edge-firmware/config.json"
  install -D -m 0644 "$root/LICENSE" "$tree/usr/share/doc/edge-firmware/copyright"
}

write_control() {
  local tree=$1 architecture=$2 libc=$3
  mkdir -p "$tree/DEBIAN"
  local script
  for script in postinst prerm postrm; do
    install -m 0755 "$here/$script" "$tree/DEBIAN/$script"
  done
  install -m 0644 "$here/triggers" "$tree/DEBIAN/triggers"
  echo /etc/edge-firmware/config.json >"$tree/DEBIAN/conffiles"
  (cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
  cat >"$tree/DEBIAN/control" <<EOF
Package: edge-firmware
Version: $(version)
Architecture: $architecture
Maintainer: Edge firmware maintainers <maintainers@edge-firmware.invalid>
Installed-Size: $(du -sk --exclude=DEBIAN "$tree" | cut -f1)
Depends: libc6 (>= $libc), libssl3t64 | libssl3, adduser, init-system-helpers (>= 1.54)
Recommends: docker.io | podman, ca-certificates
Section: net
Priority: optional
Description: MQTT broker, mesh and workload migration for edge nodes
 One process per Raspberry Pi or BeagleBone: an MQTT broker, discovery of the
 neighbouring nodes, and migration of containers between them by agreement,
 with no server and no cloud needed.
EOF
}

main() {
  local rid=${1:?usage: build-deb.sh RID [BINARY]} binary architecture libc tree package
  binary=${2:-$root/out/$rid/edge-firmware}
  [[ -x $binary ]] || die "$binary is missing; run ./build.sh first"
  architecture=$(debian_architecture "$rid")
  libc=$(libc_version "$binary")
  tree=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$tree'" EXIT
  chmod 0755 "$tree"
  install_files "$tree" "$binary"
  write_control "$tree" "$architecture" "$libc"
  package="$root/out/$rid/edge-firmware_$(version)_$architecture.deb"
  mkdir -p "${package%/*}"
  dpkg-deb --root-owner-group -Zxz --build "$tree" "${PACKAGE_FILE:-$package}" >/dev/null
  printf '%s: %s bytes\n' "${PACKAGE_FILE:-$package}" "$(stat -c %s "${PACKAGE_FILE:-$package}")"
}

main "$@"
