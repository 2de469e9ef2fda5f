/* Load for an MQTT broker, and what becomes of it: one process, one thread, its own few packets.
 *
 *   load --port P [--pid BROKER] [--pubs N] [--subs N] [--topics N] [--qos-in Q] [--qos-out Q] [--payload BYTES]
 *        [--window N | --rate R] [--warm-up S] [--time S] [--idle N] [--slow BYTES/S] [--hold S] [--shared] [--kept] [--mqtt 4|5]
 *
 * Publisher i writes topic i % topics; subscriber j reads topic j % topics, or all of them when there are fewer subscribers than topics.
 * Closed loop (--window): a publisher has at most N messages that are unacknowledged or not yet with all their subscribers.
 * Open loop (--rate): R messages a second by the clock, whatever the broker does; latency counts from when each was due.
 * --idle: as many more connections with a subscription each, which get nothing. --slow: one more subscriber, which reads that slowly.
 * --kept: subscribers have sessions that outlive their connection. --hold: rest after connecting, then look at the memory.
 *
 * Prints one line of key=value: rate and deliveries a second; missing (never came), lost (missing though both QoS are at least 1),
 * doubled, stalls (the window had to be opened by force); p50 p99 p999 in us; cpu_us a delivery; private memory of the broker in kB. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "measure.h"
#include "wire.h"

enum { SCRATCH_BYTES = 512 << 10, OUT_BYTES_MAX = 256 << 10, OPEN_LOOP_BYTES_MAX = 64 << 20, CONNECTING_MAX = 64, STAMP_BYTES = 16, SEEN_BITS = 1 << 16 };
static const int64_t SECOND = 1000000000LL, STALL_NS = SECOND / 5, SETUP_NS = 60 * SECOND, DRAIN_NS = 3 * SECOND;

enum role { IDLE, SLOW, SUBSCRIBER, PUBLISHER };

struct client {
    enum role role;
    int fd, number, topic;
    bool ready, blocked, due;
    struct bytes out, rest;
    /* publisher */
    uint32_t sent, acknowledged, forgiven, receivers;
    uint64_t delivered;
    uint8_t *seen; /* shared subscription: bits of the messages that came, by sequence number */
    char name[32];
    size_t name_length;
    /* subscriber: the next sequence number of each publisher */
    uint32_t *next;
};

static int port, pid, pubs = 1, subs = 1, topics = 1, qos_in, qos_out, payload = 64, window = 1000, idle, slow, version = MQTT_311;
static double rate, warm_up = 1, duration = 3, hold;
static bool shared, kept;

static struct client *clients, *publishers, *subscribers;
static struct client **due;
static int client_count, ready_count, due_count, poll_fd;
static bool publishing, measuring;
static uint64_t published, delivered, doubled, stalls;
static struct histogram latencies;
static uint8_t scratch[SCRATCH_BYTES];
static long private_max;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

/* --- one connection ------------------------------------------------------------------------------------------------ */

static void want(struct client *client, bool write) {
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = client};
    client->blocked = write;
    if (epoll_ctl(poll_fd, EPOLL_CTL_MOD, client->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
}

static void flush(struct client *client) {
    struct bytes *out = &client->out;
    while (out->start < out->end) {
        ssize_t sent = send(client->fd, out->at + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            if (!client->blocked) want(client, true);
            return;
        }
        if (sent < 0) die("client %d: send: %s", client->number, strerror(errno));
        out->start += (size_t)sent;
    }
    out->start = out->end = 0;
    if (client->role == IDLE) {
        free(out->at);
        *out = (struct bytes){0};
    }
    if (client->blocked) want(client, false);
}

static void schedule(struct client *publisher) {
    if (publisher->due) return;
    publisher->due = true;
    due[due_count++] = publisher;
}

static void filter_of(const struct client *client, char *filter, size_t size) {
    const char *group = shared && client->role == SUBSCRIBER ? "$share/g/" : "";
    if (client->role == IDLE) snprintf(filter, size, "idle%d/%d", getpid(), client->number);
    else if (client->role == SLOW || subs < topics) snprintf(filter, size, "%sb%d/+", group, getpid());
    else snprintf(filter, size, "%sb%d/%d", group, getpid(), client->topic);
}

static void open_client(struct client *client, bool keep) {
    struct sockaddr_in broker = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, little = 4096;
    char id[32];
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0) die("socket: %s", strerror(errno));
    if (client->role == SLOW) setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    if (connect(client->fd, (struct sockaddr *)&broker, sizeof broker) != 0) die("connect: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
    snprintf(id, sizeof id, "load%d-%d", getpid(), client->number);
    put_connect(&client->out, version, id, keep);
    flush(client);
}

/* --- packets that come --------------------------------------------------------------------------------------------- */

static void on_message(struct client *subscriber, const struct packet *packet, int64_t now) {
    unsigned id = 0;
    const uint8_t *stamp = payload_of(packet, version, &id);
    int qos = packet->flags >> 1 & 3;
    int64_t sent_at;
    uint32_t from, sequence;
    if (qos) put_ack(&subscriber->out, qos == 1 ? PUBACK : PUBREC, id);
    if (subscriber->role != SUBSCRIBER) return;
    memcpy(&sent_at, stamp, 8);
    memcpy(&from, stamp + 8, 4);
    memcpy(&sequence, stamp + 12, 4);
    if (from >= (uint32_t)pubs) die("a message that nobody sent");
    struct client *publisher = &publishers[from];
    bool again;
    if (shared) {
        uint8_t *bits = &publisher->seen[sequence % SEEN_BITS / 8], bit = (uint8_t)(1 << sequence % 8);
        again = *bits & bit;
        *bits |= bit;
    } else {
        again = sequence < subscriber->next[from];
        if (!again) subscriber->next[from] = sequence + 1;
    }
    if (again) {
        doubled++;
        return;
    }
    publisher->delivered++;
    delivered++;
    if (measuring) add(&latencies, now - sent_at);
    schedule(publisher);
}

static void on_packet(struct client *client, const struct packet *packet, int64_t now) {
    switch (packet->type) {
        case CONNACK:
            if (packet->body[1] != 0) die("CONNACK refuses with %d", packet->body[1]);
            if (client->role == PUBLISHER) break;
            char filter[64];
            filter_of(client, filter, sizeof filter);
            put_subscribe(&client->out, version, filter, qos_out);
            return;
        case SUBACK:
            if (packet->body[packet->body_length - 1] > 2) die("SUBACK refuses with %d", packet->body[packet->body_length - 1]);
            break;
        case PUBLISH: on_message(client, packet, now); return;
        case PUBREL: put_ack(&client->out, PUBCOMP, get16(packet->body)); return;
        case PUBREC: put_ack(&client->out, PUBREL, get16(packet->body)); return;
        case PUBACK:
        case PUBCOMP:
            if (packet->body_length > 2 && packet->body[2] >= 0x80) die("a message is refused with %d", packet->body[2]);
            client->acknowledged++;
            schedule(client);
            return;
        default: die("the broker sent packet type %d", packet->type);
    }
    client->ready = true;
    ready_count++;
}

/* Reads once, at most so many bytes. */
static void receive(struct client *client, size_t bytes_max) {
    size_t kept_bytes = client->rest.end, used = 0;
    memcpy(scratch, client->rest.at, kept_bytes);
    ssize_t got = recv(client->fd, scratch + kept_bytes, bytes_max - kept_bytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) die("client %d: the broker closed the connection: %s", client->number, got < 0 ? strerror(errno) : "end");
    size_t length = kept_bytes + (size_t)got;
    int64_t now = now_ns();
    struct packet packet;
    while (next_packet(scratch + used, length - used, &packet)) {
        on_packet(client, &packet, now);
        used += packet.total;
    }
    client->rest.end = 0;
    if (length > used) memcpy(reserve(&client->rest, length - used), scratch + used, length - used);
    if (client->out.start < client->out.end) flush(client);
}

/* --- publishing ---------------------------------------------------------------------------------------------------- */

static void publish(struct client *publisher, int64_t stamp) {
    uint32_t number = (uint32_t)publisher->number, sequence = publisher->sent++;
    if (publisher->seen) publisher->seen[sequence % SEEN_BITS / 8] &= (uint8_t)~(1 << sequence % 8);
    uint8_t *at = put_publish(&publisher->out, version, qos_in, publisher->name, publisher->name_length, sequence % 65535 + 1, (size_t)payload);
    memcpy(at, &stamp, 8);
    memcpy(at + 8, &number, 4);
    memcpy(at + 12, &sequence, 4);
    memset(at + STAMP_BYTES, 'x', (size_t)payload - STAMP_BYTES);
    published++;
}

static int64_t outstanding(const struct client *publisher) {
    int64_t unacknowledged = qos_in ? (int64_t)publisher->sent - publisher->acknowledged : 0;
    int64_t underway = publisher->receivers ? (int64_t)publisher->sent - publisher->forgiven - (int64_t)(publisher->delivered / publisher->receivers) : 0;
    return unacknowledged > underway ? unacknowledged : underway;
}

static void publish_windows(void) {
    int64_t now = now_ns();
    int count = due_count;
    due_count = 0;
    for (int i = 0; i < count; i++) {
        struct client *publisher = due[i];
        publisher->due = false;
        if (publisher->blocked) continue;
        for (int64_t room = window - outstanding(publisher); room > 0 && publisher->out.end - publisher->out.start < OUT_BYTES_MAX; room--)
            publish(publisher, now);
        flush(publisher);
    }
}

/* Returns when the next one is due. */
static int64_t publish_on_time(int64_t next, int64_t interval) {
    static int turn;
    while (next <= now_ns()) {
        struct client *publisher = &publishers[turn++ % pubs];
        if (publisher->out.end - publisher->out.start > OPEN_LOOP_BYTES_MAX) die("the broker takes less than the rate");
        publish(publisher, next);
        flush(publisher);
        next += interval;
    }
    due_count = 0;
    for (int i = 0; i < pubs; i++) publishers[i].due = false;
    return next;
}

/* What was dropped will not open the window again. */
static void end_stall(void) {
    static uint64_t last;
    static int64_t since;
    int64_t now = now_ns();
    if (delivered != last || since == 0) {
        last = delivered;
        since = now;
    }
    if (now - since < STALL_NS) return;
    since = now;
    stalls++;
    for (int i = 0; i < pubs; i++) {
        struct client *publisher = &publishers[i];
        if (publisher->receivers) publisher->forgiven = publisher->sent - (uint32_t)(publisher->delivered / publisher->receivers);
        if (!publisher->blocked) schedule(publisher);
    }
}

/* --- the run ------------------------------------------------------------------------------------------------------- */

static void poll_once(int64_t patience_ns) {
    struct epoll_event events[256];
    struct timespec patience = {.tv_sec = patience_ns / SECOND, .tv_nsec = patience_ns % SECOND};
    int count = epoll_pwait2(poll_fd, events, 256, patience_ns < 0 ? &(struct timespec){0} : &patience, NULL);
    if (count < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct client *client = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) {
            flush(client);
            if (!client->blocked && client->role == PUBLISHER) schedule(client);
        }
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(client, SCRATCH_BYTES);
    }
}

static void connect_range(int first, int count) {
    int64_t deadline = now_ns() + SETUP_NS;
    ready_count = 0;
    for (int opened = 0; ready_count < count;) {
        while (opened < count && opened - ready_count < CONNECTING_MAX) {
            struct client *client = &clients[first + opened++];
            open_client(client, kept && client->role == SUBSCRIBER);
        }
        poll_once(SECOND);
        if (now_ns() > deadline) die("%d of %d clients are connected after a minute", ready_count, count);
    }
}

static void rest(double seconds) {
    for (int64_t end = now_ns() + (int64_t)(seconds * 1e9); now_ns() < end;) poll_once(end - now_ns());
}

/* Publishes, or only listens, until then. */
static void run_until(int64_t end, int64_t *next) {
    static int64_t sample_at, slow_at;
    int64_t interval = rate > 0 ? (int64_t)(1e9 / rate) : 0;
    for (int64_t now; (now = now_ns()) < end;) {
        int64_t wake = end;
        if (publishing && interval) *next = publish_on_time(*next, interval);
        if (publishing && interval && *next < wake) wake = *next;
        if (publishing && !interval) {
            publish_windows();
            end_stall();
        }
        if (!publishing && delivered + doubled >= published * publishers[0].receivers && !measuring) return;
        if (now >= sample_at) {
            long private_now = private_kb(pid);
            if (private_now > private_max) private_max = private_now;
            sample_at = now + SECOND / 4;
        }
        if (slow && now >= slow_at) {
            receive(&clients[idle], clients[idle].rest.end + (size_t)(slow / 10) + 1);
            slow_at = now + SECOND / 10;
        }
        if (wake > now + SECOND / 20) wake = now + SECOND / 20;
        poll_once(wake - now_ns());
    }
}

static void add_clients(enum role role, int count) {
    for (int i = 0; i < count; i++) {
        struct client *client = &clients[client_count++];
        *client = (struct client){.role = role, .number = role == PUBLISHER ? i : client_count + pubs, .topic = i % topics, .fd = -1};
        if (role == SUBSCRIBER) client->next = calloc((size_t)pubs, sizeof *client->next);
        if (role != PUBLISHER) continue;
        client->name_length = (size_t)snprintf(client->name, sizeof client->name, "b%d/%d", getpid(), client->topic);
        client->receivers = (uint32_t)(subs == 0 ? 0 : shared ? 1 : subs < topics ? subs : (subs - client->topic + topics - 1) / topics);
        if (shared) client->seen = calloc(SEEN_BITS / 8, 1);
    }
}

static void end_sessions(void) {
    for (int i = 0; i < subs && kept; i++) close(subscribers[i].fd);
    ready_count = 0;
    for (int i = 0; i < subs && kept; i++) {
        struct client *client = &subscribers[i];
        client->rest.end = client->out.start = client->out.end = 0;
        client->blocked = false;
        open_client(client, false);
        while (ready_count <= i) poll_once(SECOND);
    }
}

static void parse(int count, char **arguments) {
    static const struct option options[] = {
        {"port", 1, 0, 'p'}, {"pid", 1, 0, 'P'}, {"pubs", 1, 0, 'a'}, {"subs", 1, 0, 'b'}, {"topics", 1, 0, 't'}, {"qos-in", 1, 0, 'i'},
        {"qos-out", 1, 0, 'o'}, {"payload", 1, 0, 's'}, {"window", 1, 0, 'w'}, {"rate", 1, 0, 'r'}, {"warm-up", 1, 0, 'u'}, {"time", 1, 0, 'd'},
        {"idle", 1, 0, 'n'}, {"slow", 1, 0, 'l'}, {"hold", 1, 0, 'h'}, {"shared", 0, 0, 'S'}, {"kept", 0, 0, 'k'}, {"mqtt", 1, 0, 'v'}, {0}};
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
            case 'p': port = atoi(optarg); break;
            case 'P': pid = atoi(optarg); break;
            case 'a': pubs = atoi(optarg); break;
            case 'b': subs = atoi(optarg); break;
            case 't': topics = atoi(optarg); break;
            case 'i': qos_in = atoi(optarg); break;
            case 'o': qos_out = atoi(optarg); break;
            case 's': payload = atoi(optarg); break;
            case 'w': window = atoi(optarg); break;
            case 'r': rate = atof(optarg); break;
            case 'u': warm_up = atof(optarg); break;
            case 'd': duration = atof(optarg); break;
            case 'n': idle = atoi(optarg); break;
            case 'l': slow = atoi(optarg); break;
            case 'h': hold = atof(optarg); break;
            case 'S': shared = true; break;
            case 'k': kept = true; break;
            case 'v': version = atoi(optarg); break;
            default: exit(2);
        }
    }
    if (!port || pubs < 0 || subs < 0 || topics < 1 || payload < STAMP_BYTES || window < 1 || window > 60000) die("see the head of load.c");
}

int main(int count, char **arguments) {
    parse(count, arguments);
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct rlimit files = {.rlim_cur = 65536, .rlim_max = 65536};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int all = idle + (slow > 0) + subs + pubs;
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    clients = calloc((size_t)all + 1, sizeof *clients);
    due = calloc((size_t)pubs + 1, sizeof *due);
    add_clients(IDLE, idle);
    add_clients(SLOW, slow > 0);
    subscribers = clients + client_count;
    add_clients(SUBSCRIBER, subs);
    publishers = clients + client_count;
    add_clients(PUBLISHER, pubs);

    long private_before = private_kb(pid);
    int64_t began = now_ns();
    connect_range(0, idle);
    double connect_ms = (double)(now_ns() - began) / 1e6;
    connect_range(idle, all - idle);
    rest(hold);
    long private_connected = private_kb(pid);
    if (slow) epoll_ctl(poll_fd, EPOLL_CTL_DEL, clients[idle].fd, NULL);

    int64_t next = now_ns();
    publishing = pubs > 0;
    for (int i = 0; i < pubs; i++) schedule(&publishers[i]);
    run_until(now_ns() + (int64_t)(warm_up * 1e9), &next);
    measuring = true;
    uint64_t published_before = published, delivered_before = delivered;
    double cpu = cpu_seconds(pid);
    int64_t start = now_ns();
    run_until(start + (int64_t)(duration * 1e9), &next);
    double seconds = (double)(now_ns() - start) / 1e9;
    cpu = cpu_seconds(pid) - cpu;
    measuring = publishing = false;
    double messages = (double)(published - published_before), deliveries = (double)(delivered - delivered_before);
    if (pubs) run_until(now_ns() + DRAIN_NS, &next);

    uint64_t expected = 0;
    for (int i = 0; i < pubs; i++) expected += (uint64_t)publishers[i].sent * publishers[i].receivers;
    uint64_t missing = expected - delivered;
    printf("rate=%.0f deliveries=%.0f missing=%lu lost=%lu doubled=%lu stalls=%lu p50=%.1f p99=%.1f p999=%.1f cpu_us=%.2f cpu_s=%.2f "
           "private_before=%ld private_connected=%ld private_max=%ld connect_ms=%.0f\n",
        messages / seconds, deliveries / seconds, missing, qos_in && qos_out ? missing : 0, doubled, stalls, percentile(&latencies, 0.5),
        percentile(&latencies, 0.99), percentile(&latencies, 0.999), deliveries > 0 ? cpu * 1e6 / deliveries : 0, cpu, private_before,
        private_connected, private_max, connect_ms);
    end_sessions();
    return 0;
}
