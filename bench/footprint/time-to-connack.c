/* Starts a broker and prints the microseconds from exec to the first CONNACK, then ends it.
 *   time-to-connack PORT COMMAND [ARGUMENT...]
 * Polls connect on 127.0.0.1 every 0.5 ms; gives up after 10 s. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

enum { POLL_NANOSECONDS = 500 * 1000, GIVE_UP_MICROSECONDS = 10 * 1000 * 1000 };

static long long now_microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* An MQTT 3.1.1 CONNECT with a clean session answered by a CONNACK that accepts it. */
static int connected(const struct sockaddr_in *broker) {
    static const char hello[] = "\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07prober1";
    unsigned char answer[4];
    struct timeval patience = {.tv_sec = 2};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), good = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)broker, sizeof *broker) == 0)
        good = send(fd, hello, sizeof hello - 1, MSG_NOSIGNAL) == sizeof hello - 1 && recv(fd, answer, 4, MSG_WAITALL) == 4 &&
               answer[0] == 0x20 && answer[3] == 0;
    close(fd);
    return good;
}

static pid_t start(char **command) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execv(command[0], command);
        _exit(127);
    }
    return child;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    struct sockaddr_in broker = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
    broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
    long long began = now_microseconds(), took = -1;
    pid_t child = start(arguments + 2);
    while (now_microseconds() - began < GIVE_UP_MICROSECONDS) {
        if (connected(&broker)) {
            took = now_microseconds() - began;
            break;
        }
        if (waitpid(child, NULL, WNOHANG) == child) return 1;
        nanosleep(&pause, NULL);
    }
    kill(child, SIGTERM);
    /* A broker that ignores SIGTERM for 5 s is killed. */
    for (int tries = 0; tries < 500 && waitpid(child, NULL, WNOHANG) == 0; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    kill(child, SIGKILL);
    if (took < 0) return 1;
    printf("%lld\n", took);
    return 0;
}
