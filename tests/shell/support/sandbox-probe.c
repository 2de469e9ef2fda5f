/* Stands in for the firmware inside its own unit and says what the sandbox lets it do: one "sandbox NAME yes|no" line
 * each, then READY=1 and watchdog pings like the real one.
 *   sandbox-probe                     probe, then serve
 *   sandbox-probe engine PATH         listen on a unix socket, like a container engine
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void report(const char *name, int yes) { printf("sandbox %s %s\n", name, yes ? "yes" : "no"); }

static int listens(int type, int port) {
    int one = 1, fd = socket(AF_INET, type, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    return fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0 && (type == SOCK_DGRAM || listen(fd, 16) == 0);
}

static int joins_multicast(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ip_mreqn group = {.imr_ifindex = 1};
    inet_pton(AF_INET, "239.255.79.0", &group.imr_multiaddr);
    return fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) == 0;
}

static int unix_address(struct sockaddr_un *address, const char *path) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strncpy(address->sun_path, path, sizeof address->sun_path - 1);
    if (path[0] == '@') address->sun_path[0] = 0;
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int connects(const char *path) {
    struct sockaddr_un address;
    int fd = unix_address(&address, path);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static int reads(const char *path) {
    char byte;
    int fd = open(path, O_RDONLY);
    return fd >= 0 && read(fd, &byte, 1) == 1;
}

static int writes(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    return fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0;
}

static void notify(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    if (!path) return;
    close(unix_address(&address, path));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(sizeof(sa_family_t) + strlen(path));
    sendto(fd, state, strlen(state), 0, (struct sockaddr *)&address, length);
    close(fd);
}

static void probe(void) {
    report("is-not-root", getuid() != 0 && geteuid() != 0);
    report("listen-mqtt", listens(SOCK_STREAM, 1883));
    report("listen-mesh", listens(SOCK_STREAM, 7900) && listens(SOCK_DGRAM, 7900));
    report("listen-api", listens(SOCK_STREAM, 8080));
    report("join-multicast", joins_multicast());
    report("open-netlink", socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
    report("connect-engine", connects("/run/docker.sock"));
    report("read-proc", reads("/proc/stat") && reads("/proc/meminfo") && reads("/proc/self/smaps_rollup"));
    report("read-pressure", access("/proc/pressure", F_OK) != 0 || reads("/proc/pressure/cpu"));
    report("read-cgroup", reads("/sys/fs/cgroup/cgroup.controllers") || access("/sys/fs/cgroup", R_OK | X_OK) == 0);
    report("read-class", access("/sys/class", R_OK | X_OK) == 0 && access("/sys/devices", R_OK | X_OK) == 0);
    report("write-state", writes("/var/lib/edge-firmware/probe"));
    report("write-etc", writes("/etc/edge-firmware/probe") || writes("/etc/probe"));
    report("write-usr", writes("/usr/bin/probe"));
    report("write-var", writes("/var/lib/probe") || writes("/var/tmp/../probe"));
    report("write-cgroup", access("/sys/fs/cgroup/cgroup.procs", W_OK) == 0);
    report("write-kernel-setting", access("/proc/sys/vm/overcommit_memory", W_OK) == 0);
    report("see-home", access("/root/.", R_OK) == 0);
    report("raw-socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0);
    report("packet-socket", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
    report("new-namespace", unshare(CLONE_NEWUSER) == 0);
    report("writable-code", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    report("become-root", setuid(0) == 0);
    report("make-setuid-file", chmod("/var/lib/edge-firmware/probe", 04755) == 0);
}

static int engine(const char *path) {
    struct sockaddr_un address;
    int fd = unix_address(&address, path);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0) return 1;
    for (;;) close(accept(fd, NULL, NULL));
}

int main(int count, char **arguments) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count == 3 && strcmp(arguments[1], "engine") == 0) return engine(arguments[2]);
    probe();
    report("end", 1);
    notify("READY=1");
    for (;;) {
        usleep(500 * 1000);
        notify("WATCHDOG=1");
    }
}
