#!/usr/bin/env bash
# Makes what the lab VM boots, from Debian packages: out/lab-vm/vmlinuz and initrd.gz. As root; done once, and again when a newer kernel is
# there or the list of modules has changed. Ends with 1 and says why when it cannot be had.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
made=$(cd "$here/../../.." && pwd)/out/lab-vm
packages=(qemu-system-x86 kmod cpio busybox-static)
scratch=''

die() { printf 'lab VM: %s\n' "$*" >&2; exit 1; }

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

install_packages() {
  local package missing=()
  for package in "${packages[@]}" "$@"; do is_installed "$package" || missing+=("$package"); done
  ((${#missing[@]} > 0)) || return 0
  [[ $(id -u) == 0 ]] || die "these packages are missing, and installing needs root: ${missing[*]}"
  apt-get update -qq >/dev/null 2>&1 || true # usable lists may be there all the same
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$scratch/apt" 2>&1 ||
    die "these packages cannot be installed: ${missing[*]}: $(tail -n 1 "$scratch/apt")"
}

# The kernel of this Debian release.
kernel_package() { apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1; }

unpack_kernel() {
  (cd "$scratch" && apt-get download -qq "$1" >apt 2>&1) || die "$1 cannot be downloaded: $(tail -n 1 "$scratch/apt")"
  dpkg-deb --fsys-tarfile "$scratch/$1"_*.deb | tar -x -C "$scratch" --wildcards './boot/vmlinuz-*' './lib/modules/*/modules.*' \
    './lib/modules/*/kernel/'{net,fs,lib,crypto,arch,drivers/net,drivers/virtio}
}

# pack VERSION: busybox, the modules in the order in which they are to be loaded, init.
pack() {
  local root=$scratch/initrd module
  mkdir -p "$root"/{bin,dev,proc,sys,host,changes,root,modules}
  cp "$(command -v busybox)" "$root/bin/busybox"
  cp "$here/init" "$root/init"
  depmod -b "$scratch" "$1"
  while read -r module; do
    modprobe -d "$scratch" -S "$1" --show-depends "$module" >"$scratch/needed" || die "the kernel has no module $module"
    sed -n 's/^insmod \([^ ]*\).*/\1/p' "$scratch/needed"
  done < <(grep -v '^#' "$here/modules") | awk '!seen[$0]++' >"$scratch/files"
  xargs -a "$scratch/files" cp -t "$root/modules"
  sed 's/.*\///' "$scratch/files" >"$root/modules/order"
  (cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$scratch/initrd.gz"
}

main() {
  local kernel stamp version
  [[ $(uname -m) == x86_64 ]] || die "it is of amd64, and this machine is $(uname -m)"
  command -v apt-get >/dev/null || die 'this is not a Debian system'
  scratch=$(mktemp -d "/tmp/edge-lab-vm-$$-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT TERM HUP
  install_packages "$@"
  kernel=$(kernel_package)
  if [[ -z $kernel ]]; then
    apt-get update -qq >/dev/null 2>&1 || true
    kernel=$(kernel_package)
  fi
  [[ -n $kernel || -s $made/stamp ]] || die 'Debian offers no package linux-image-amd64'
  stamp="${kernel:-$(cut -d' ' -f1 "$made/stamp")} $(cat "$here/modules" "$here/init" "$here/prepare.sh" | sha256sum | cut -c1-16)"
  [[ $(cat "$made/stamp" 2>/dev/null) != "$stamp" ]] || return 0
  unpack_kernel "$kernel"
  version=$(ls "$scratch/lib/modules")
  pack "$version"
  rm -rf "$made"
  mkdir -p "$made"
  mv "$scratch/boot/vmlinuz-$version" "$made/vmlinuz"
  mv "$scratch/initrd.gz" "$made/initrd.gz"
  printf '%s\n' "$stamp" >"$made/stamp"
}

main "$@"
