#!/usr/bin/env bash
# Runs a command, as root, in a virtual machine with Debian's kernel over this machine's root: everything that is installed here is there, nothing that is
# written there is here. Its output is this script's, as it comes, and so is its code; 124 after the time limit, 125 when the VM does not come up.
#
#   tests/Lab/vm/run.sh [--seconds 240] [--megabytes 768] COMMAND ARGUMENT...
#
# Needs what prepare.sh makes. However this ends, the VM ends with it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
made=$(cd "$here/../../.." && pwd)/out/lab-vm
seconds=240 megabytes=768
vm='' work=''

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '$d' >&2; exit 2; }

clean() {
  if [[ -n $vm ]]; then
    kill -KILL "$vm" 2>/dev/null || true
    wait "$vm" 2>/dev/null || true
  fi
  [[ -z $work ]] || rm -rf "$work"
}

# What a run has left that was killed.
remove_stale() {
  local dir owner
  for dir in /tmp/edge-lab-vm-*; do
    owner=${dir#/tmp/edge-lab-vm-}
    [[ ! -d $dir || -d /proc/${owner%-*} ]] || rm -rf "$dir"
  done
}

# What runs in the VM once its root is there; the directory is the only thing both sides write.
second_stage() {
  cat <<EOF
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 EDGE_LAB_VM=yes
ip link set lo up
cd $(printf %q "$PWD") || cd /
setsid$(printf ' %q' "$@") </dev/null >/lab/output 2>&1
echo \$? >/lab/code
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
EOF
}

start() {
  # The kernel of this machine ends it with its parent, should that be killed.
  setpriv --pdeathsig KILL qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m "$megabytes" -nodefaults -display none -no-reboot \
    -serial "file:$work/console" -kernel "$made/vmlinuz" -initrd "$made/initrd.gz" -append 'console=ttyS0 quiet panic=-1' \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -virtfs "local,path=$work/lab,mount_tag=lab,security_model=none,multidevs=remap" </dev/null >"$work/qemu" 2>&1 &
  vm=$!
}

main() {
  while (($#)); do
    case $1 in
      --seconds) seconds=$2; shift 2 ;;
      --megabytes) megabytes=$2; shift 2 ;;
      -*) usage ;;
      *) break ;;
    esac
  done
  (($#)) || usage
  trap clean EXIT
  trap 'exit 130' INT TERM HUP
  remove_stale
  work=$(mktemp -d "/tmp/edge-lab-vm-$$-XXXXXX")
  mkdir "$work/lab"
  : >"$work/lab/output"
  second_stage "$@" >"$work/lab/stage2"
  start
  local status=0
  # It ends with the VM; in the background, so that a signal is handled at once.
  setpriv --pdeathsig TERM timeout "$seconds" tail --lines=+1 --follow --sleep-interval=0.2 --pid="$vm" "$work/lab/output" &
  wait $! || status=$?
  if [[ -s $work/lab/code ]]; then exit "$(cat "$work/lab/code")"; fi
  if ((status == 124)); then echo "lab VM: stopped after $seconds s" >&2; exit 124; fi
  echo 'lab VM: it ended without a result' >&2
  tail -n 20 "$work/qemu" "$work/console" >&2
  exit 125
}

main "$@"
