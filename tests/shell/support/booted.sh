# shellcheck shell=bash
# A real systemd as PID 1 of its own namespaces, over a throw-away copy of this machine's root (overlayfs on tmpfs).
# Nothing of it is visible outside; it ends with its init process.
#
#   booted_start || skip … "$booted_why"; booted COMMAND…; booted_put FILE PATH; booted_stop (call it from a trap)

# shellcheck disable=SC2034 # booted_why is for the caller
booted_init='' booted_holder='' booted_dir='' booted_cgroup='' booted_why=''

# The program that becomes PID 1; runs inside the new namespaces. $1: an empty directory.
booted_inner() {
  local dir=$1 root=$1/root node unit
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$dir"
  mkdir "$dir/upper" "$dir/work" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work" "$root"
  mount -t proc proc "$root/proc"
  # Kernel settings belong to the machine, not to the namespaces.
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  [ ! -e "$root/proc/sysrq-trigger" ] || mount --bind /dev/null "$root/proc/sysrq-trigger"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for node in null zero full random urandom tty; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
  done
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mkdir -p "$root/run/systemd/system"
  for unit in systemd-modules-load systemd-sysctl systemd-udevd systemd-udev-trigger systemd-remount-fs systemd-timesyncd \
    systemd-random-seed systemd-hwdb-update systemd-binfmt systemd-firstboot; do
    ln -s /dev/null "$root/run/systemd/system/$unit.service"
  done
  : >"$root/etc/machine-id"
  # It keeps package scripts from starting services: right while building an image, wrong here.
  rm -f "$root/usr/sbin/policy-rc.d"
  ip link set lo up
  cd "$root" || exit 1
  mkdir -p .outside
  pivot_root . .outside
  exec env -i container=edge-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio,-syslog \
    sh -c 'umount -l /.outside && rmdir /.outside; exec /lib/systemd/systemd --log-target=console --show-status=0 --unit=basic.target' \
    </dev/null
}

booted_possible() {
  local tool
  [[ $(id -u) == 0 ]] || { booted_why='needs root'; return 1; }
  for tool in /lib/systemd/systemd unshare nsenter setpriv pivot_root ip findmnt; do
    command -v "$tool" >/dev/null || { booted_why="$tool is not installed"; return 1; }
  done
  if ! unshare --mount --pid --ipc --uts --net --cgroup --fork true 2>/dev/null; then
    booted_why='this kernel or container does not allow new namespaces'
    return 1
  fi
}

booted_make_cgroup() {
  local tree
  tree=$(findmnt -t cgroup2 -no TARGET | head -n 1)
  [[ -n $tree ]] || { booted_why='no cgroup v2 hierarchy is mounted'; return 1; }
  booted_cgroup="$tree/edge-firmware-test.$$"
  mkdir "$booted_cgroup" 2>/dev/null || { booted_why="cannot create a cgroup in $tree"; booted_cgroup=''; return 1; }
}

booted_start() {
  booted_possible && booted_make_cgroup || return 1
  booted_dir=$(mktemp -d)
  (
    echo "$BASHPID" >"$booted_cgroup/cgroup.procs"
    exec unshare --mount --pid --ipc --uts --net --cgroup --fork --kill-child \
      bash -c "set -eu; $(declare -f booted_inner); booted_inner \"\$1\"" booted "$booted_dir"
  ) >"$booted_dir.log" 2>&1 &
  booted_holder=$!
  local deadline=$((SECONDS + 60)) state=''
  while ((SECONDS < deadline)) && kill -0 "$booted_holder" 2>/dev/null; do
    booted_init=$(pgrep -P "$booted_holder" || true)
    if [[ -n $booted_init && $(cat "/proc/$booted_init/comm" 2>/dev/null) == systemd ]]; then
      state=$(booted systemctl is-system-running 2>/dev/null || true)
      [[ $state != running && $state != degraded ]] || return 0
    fi
    sleep 0.1
  done
  booted_why="systemd did not come up (state '$state'): $(tail -n 3 "$booted_dir.log" | tr '\n' ' ')"
  return 1
}

booted() { nsenter --target "$booted_init" --mount --pid --ipc --uts --net --cgroup --root --wd -- "$@"; }

# booted_put FILE PATH [MODE]: copies a file of this machine into the booted one.
booted_put() { booted sh -c 'cat >"$1" && chmod "$2" "$1"' sh "$2" "${3:-0644}" <"$1"; }

booted_stop() {

  if [[ -n $booted_init ]] && kill -0 "$booted_init" 2>/dev/null; then
    # SIGRTMIN+4: systemd powers off; in a PID namespace that ends it and everything in it.
    kill -s RTMIN+4 "$booted_init" 2>/dev/null || true
    for _ in {1..100}; do
      kill -0 "$booted_init" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$booted_init" 2>/dev/null || true
  fi
  [[ -z $booted_holder ]] || { kill -KILL "$booted_holder" 2>/dev/null; wait "$booted_holder" 2>/dev/null; } || true
  if [[ -n $booted_cgroup && -d $booted_cgroup ]]; then
    for _ in {1..50}; do
      find "$booted_cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      [[ -d $booted_cgroup ]] || break
      sleep 0.1
    done
  fi
  [[ -z $booted_dir ]] || { rmdir "$booted_dir" 2>/dev/null; rm -f "$booted_dir.log"; } || true
  booted_init='' booted_holder='' booted_dir='' booted_cgroup=''
}
