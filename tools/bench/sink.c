/*
 * A BGP peer that only counts: the independent other end of every benchmark.
 *
 * usage: sink --port P [--sessions N] [--goal N]... [--feed FILE] [--stamp] [--dial] [--nudge]
 *
 * It listens on every address (--dial: connects to 127.0.0.1 from 127.0.1.1, 127.0.1.2 and on), answers each OPEN with a copy of it (another router id), keeps the set of prefixes that
 * each session holds, and prints what happens on stdout, times being CLOCK_MONOTONIC in seconds:
 *
 *   listening
 *   established SESSION TIME          (the peer's first KEEPALIVE)
 *   all-established TIME              (N sessions)
 *   reached GOAL TIME UPDATES OCTETS  (all N sessions hold at least GOAL prefixes; at most GOAL where it is lower than
 *                                      the goal before; goals are met in order)
 *   stamp TIME NUMBER                 (--stamp, after a line `stamps` on stdin: when each UPDATE of the first session was
 *                                      read, and the prefixes that it held then; `stamped` follows)
 *   feeding TIME / fed TIME           (--feed: FILE is sent to every session after a line `go` on stdin)
 *   counted UPDATES OCTETS HELD       (after a line `count` on stdin: of all sessions since the start)
 *   closed SESSION TIME               (a line `reset` on stdin closes every session, as a router that restarts)
 *
 * --nudge sends a KEEPALIVE to every session when nothing came for 20 ms: BIRD 2.0.12 leaves its last UPDATE until its
 * loop wakes, which takes three seconds where nothing comes.
 *
 * It ends with the end of stdin. Prefixes count for IPv4 and IPv6 unicast, and NLRI of FlowSpec as opaque octets.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SESSIONS = 1100, MAX_GOALS = 16, BUFFER = 1 << 20, HEADER = 19, KEEPALIVE_SECONDS = 20 };
enum { NUDGE_MILLISECONDS = 20 };

typedef struct { uint64_t high, low; uint32_t kind; uint32_t state; } entry; /* state: 0 free, 1 held, 2 removed */

typedef struct {
    int fd;
    int number;
    int established;
    uint8_t *buffer;
    size_t filled;
    entry *table;
    size_t size, used, held;
    size_t fed;
    int fed_all;
    double last_sent, last_dialled;
} session;

static session sessions[MAX_SESSIONS];
static int session_count, wanted = 1, established_count, stamping, going, dialling, nudging, port = 179;
static long goals[MAX_GOALS];
static int goal_count, goal_next;
static uint64_t updates, octets;
static double read_at; /* when the messages that are looked at came out of recv */
static struct stamp { double time; size_t held; } *stamps; /* kept until they are asked for: a line wakes its reader */
static size_t stamp_count, stamp_room;
static const uint8_t *feed;
static size_t feed_size;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *why)
{
    fprintf(stderr, "sink: %s: %s\n", why, strerror(errno));
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33; x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33; x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

static entry *find(entry *table, size_t size, const entry *key)
{
    size_t at = mix(key->high ^ mix(key->low ^ ((uint64_t)key->kind << 32))) & (size - 1);
    entry *removed = NULL;
    for (;; at = (at + 1) & (size - 1)) {
        entry *e = &table[at];
        if (e->state == 0) return removed ? removed : e;
        if (e->state == 2) { if (!removed) removed = e; continue; }
        if (e->high == key->high && e->low == key->low && e->kind == key->kind) return e;
    }
}

static void grow(session *s)
{
    size_t size = s->held * 4 < s->size ? s->size : s->size ? s->size * 2 : 1024;
    entry *table = calloc(size, sizeof *table);
    if (!table) fail("calloc");
    size_t used = 0;
    for (size_t i = 0; i < s->size; i++)
        if (s->table[i].state == 1) { *find(table, size, &s->table[i]) = s->table[i]; used++; }
    free(s->table);
    s->table = table; s->size = size; s->used = used;
}

static void announce(session *s, entry key)
{
    if ((s->used + 1) * 2 > s->size) grow(s);
    entry *e = find(s->table, s->size, &key);
    if (e->state == 1) return;
    if (e->state == 0) s->used++;
    key.state = 1;
    *e = key;
    s->held++;
}

static void withdraw(session *s, entry key)
{
    if (!s->size) return;
    entry *e = find(s->table, s->size, &key);
    if (e->state == 1) { e->state = 2; s->held--; }
}

/* Walk a field of NLRI. kind tells the families apart: AFI << 16 | SAFI << 8 | length in bits. */
static void walk(session *s, const uint8_t *at, const uint8_t *end, uint32_t family, int add)
{
    while (at < end) {
        entry key = {0, 0, family << 8, 0};
        size_t length;
        if ((family & 0xff) == 133) {
            length = *at++;
            if (length >= 240) length = ((length & 15) << 8) | *at++;
            uint64_t a = 0xcbf29ce484222325ULL, b = 0x9ae16a3b2f90404fULL;
            for (size_t i = 0; i < length && at + i < end; i++) {
                a = (a ^ at[i]) * 0x100000001b3ULL;
                b = mix(b + at[i]);
            }
            key.high = a; key.low = b;
        } else {
            uint8_t octet[16] = {0};
            key.kind |= *at;
            length = (size_t)(*at++ + 7) / 8;
            if (length > 16 || at + length > end) { fprintf(stderr, "sink: malformed NLRI\n"); exit(1); }
            memcpy(octet, at, length);
            memcpy(&key.high, octet, 8);
            memcpy(&key.low, octet + 8, 8);
        }
        at += length;
        if (add) announce(s, key); else withdraw(s, key);
    }
}

static void update(session *s, const uint8_t *body, size_t size)
{
    const uint8_t *end = body + size;
    size_t withdrawn = (size_t)body[0] << 8 | body[1];
    walk(s, body + 2, body + 2 + withdrawn, 1 << 8 | 1, 0);
    const uint8_t *at = body + 2 + withdrawn;
    const uint8_t *attributes_end = at + 2 + ((size_t)at[0] << 8 | at[1]);
    at += 2;
    while (at < attributes_end) {
        size_t length = at[0] & 0x10 ? (size_t)at[2] << 8 | at[3] : at[2];
        const uint8_t *value = at + (at[0] & 0x10 ? 4 : 3);
        uint32_t family = (uint32_t)value[1] << 8 | value[2];
        if (at[1] == 14) walk(s, value + 5 + value[3], value + length, family, 1);
        if (at[1] == 15) walk(s, value + 3, value + length, family, 0);
        at = value + length;
    }
    walk(s, attributes_end, end, 1 << 8 | 1, 1);
    updates++;
    octets += size + HEADER;
}

static void check_goals(void)
{
    while (goal_next < goal_count && session_count >= wanted) {
        long goal = goals[goal_next];
        int falling = goal_next > 0 && goal < goals[goal_next - 1];
        for (int i = 0; i < wanted; i++)
            if (falling ? (long)sessions[i].held > goal : (long)sessions[i].held < goal) return;
        printf("reached %ld %.6f %llu %llu\n", goal, now(), (unsigned long long)updates, (unsigned long long)octets);
        goal_next++;
    }
}

static void send_all(session *s, const uint8_t *data, size_t size)
{
    while (size) {
        ssize_t done = send(s->fd, data, size, MSG_NOSIGNAL);
        if (done < 0) {
            if (errno != EAGAIN) return;
            struct pollfd p = {s->fd, POLLOUT, 0};
            poll(&p, 1, 1000);
            continue;
        }
        data += done; size -= (size_t)done;
    }
    s->last_sent = now();
}

static void stamp(size_t held)
{
    if (stamp_count == stamp_room) {
        stamp_room = stamp_room ? stamp_room * 2 : 4096;
        stamps = realloc(stamps, stamp_room * sizeof *stamps);
        if (!stamps) fail("realloc");
    }
    stamps[stamp_count++] = (struct stamp){read_at, held};
}

static const uint8_t KEEPALIVE[HEADER] = {255,255,255,255,255,255,255,255,255,255,255,255,255,255,255,255,0,19,4};

static void message(session *s, uint8_t *m, size_t size)
{
    switch (m[18]) {
    case 1: {
        uint8_t reply[4096];
        memcpy(reply, m, size);
        reply[27] = (uint8_t)(reply[27] + 1) ? (uint8_t)(reply[27] + 1) : 1; /* another router id, never 0 at the end */
        send_all(s, reply, size);
        send_all(s, KEEPALIVE, HEADER);
        break;
    }
    case 2:
        update(s, m + HEADER, size - HEADER);
        if (stamping && s->number == 0) stamp(s->held);
        check_goals();
        break;
    case 3:
        fprintf(stderr, "sink: session %d got NOTIFICATION %d/%d\n", s->number, m[19], m[20]);
        break;
    case 4:
        if (!s->established) {
            s->established = 1;
            printf("established %d %.6f\n", s->number, now());
            if (++established_count == wanted) printf("all-established %.6f\n", now());
        }
        break;
    }
}

static int receive(session *s)
{
    ssize_t got = recv(s->fd, s->buffer + s->filled, BUFFER - s->filled, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 1;
    if (got <= 0) return 0;
    read_at = now();
    s->filled += (size_t)got;
    size_t at = 0;
    while (s->filled - at >= HEADER) {
        size_t size = (size_t)s->buffer[at + 16] << 8 | s->buffer[at + 17];
        if (size < HEADER) { fprintf(stderr, "sink: message of %zu octets\n", size); return 0; }
        if (s->filled - at < size) break;
        message(s, s->buffer + at, size);
        at += size;
    }
    memmove(s->buffer, s->buffer + at, s->filled - at);
    s->filled -= at;
    return 1;
}

static void feed_some(session *s)
{
    ssize_t done = send(s->fd, feed + s->fed, feed_size - s->fed, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done > 0) { s->fed += (size_t)done; s->last_sent = now(); }
    if (s->fed == feed_size) {
        s->fed_all = 1;
        printf("fed %.6f\n", now());
    }
}

static void over(session *s)
{
    if (s->established || !dialling) printf("closed %d %.6f\n", s->number, now());
    if (s->established) established_count--;
    close(s->fd);
    s->fd = -1; s->held = 0; s->established = 0;
    check_goals();
}

static int command(void)
{
    char line[64];
    uint64_t held = 0;
    if (read(0, line, sizeof line) <= 0) return 0;
    switch (line[0]) {
    case 'g':
        going = 1;
        printf("feeding %.6f\n", now());
        break;
    case 'c':
        for (int i = 0; i < session_count; i++) held += sessions[i].held;
        printf("counted %llu %llu %llu\n", (unsigned long long)updates, (unsigned long long)octets,
               (unsigned long long)held);
        break;
    case 's':
        for (size_t i = 0; i < stamp_count; i++) printf("stamp %.6f %zu\n", stamps[i].time, stamps[i].held);
        printf("stamped\n");
        break;
    case 'r':
        for (int i = 0; i < session_count; i++) if (sessions[i].fd >= 0) over(&sessions[i]);
        break;
    }
    return 1;
}

static void begin(int slot, int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session *s = &sessions[slot];
    free(s->buffer); free(s->table);
    *s = (session){.fd = fd, .number = slot, .buffer = malloc(BUFFER), .last_sent = now(), .last_dialled = now()};
    if (!s->buffer) fail("malloc");
    if (slot == session_count) session_count++;
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), slot = 0;
    if (fd < 0) return;
    while (slot < session_count && sessions[slot].fd >= 0) slot++;
    if (slot == MAX_SESSIONS) { close(fd); return; }
    begin(slot, fd);
}

/* Connect every session that has no connection and has not tried for a second. */
static void dial(void)
{
    for (int i = 0; i < wanted; i++) {
        if (i < session_count && (sessions[i].fd >= 0 || now() - sessions[i].last_dialled < 1)) continue;
        struct sockaddr_in own = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
        own.sin_addr.s_addr = htonl(0x7f000101u + ((uint32_t)i / 250 << 8) + (uint32_t)i % 250);
        there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        there.sin_port = htons((uint16_t)port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (bind(fd, (struct sockaddr *)&own, sizeof own)) fail("bind");
        if (connect(fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS) fail("connect");
        begin(i, fd);
    }
}

static int listening(void)
{
    int on = 1, off = 0, listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_any};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 1024)) fail("listen");
    return listener;
}

static void options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--stamp")) { stamping = 1; continue; }
        if (!strcmp(argv[i], "--dial")) { dialling = 1; continue; }
        if (!strcmp(argv[i], "--nudge")) { nudging = 1; continue; }
        if (i + 1 == argc) { fprintf(stderr, "sink: %s needs a value\n", argv[i]); exit(2); }
        const char *value = argv[++i];
        if (!strcmp(argv[i - 1], "--port")) port = atoi(value);
        else if (!strcmp(argv[i - 1], "--sessions")) wanted = atoi(value);
        else if (!strcmp(argv[i - 1], "--goal") && goal_count < MAX_GOALS) goals[goal_count++] = atol(value);
        else if (!strcmp(argv[i - 1], "--feed")) {
            struct stat st;
            int fd = open(value, O_RDONLY);
            if (fd < 0 || fstat(fd, &st)) fail(value);
            feed_size = (size_t)st.st_size;
            feed = mmap(NULL, feed_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
            if (feed == MAP_FAILED) fail("mmap");
        } else { fprintf(stderr, "sink: unknown option %s\n", argv[i - 1]); exit(2); }
    }
}

int main(int argc, char **argv)
{
    options(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int listener = dialling ? -1 : listening();
    printf("listening\n");

    static struct pollfd polls[MAX_SESSIONS + 2];
    for (;;) {
        if (dialling) dial();
        polls[0] = (struct pollfd){0, POLLIN, 0};
        polls[1] = (struct pollfd){listener, POLLIN, 0};
        for (int i = 0; i < session_count; i++) {
            session *s = &sessions[i];
            short out = going && feed && s->established && !s->fed_all ? POLLOUT : 0;
            polls[i + 2] = (struct pollfd){s->fd, (short)(POLLIN | out), 0};
        }
        int count = session_count;
        int ready = poll(polls, (nfds_t)count + 2, nudging ? NUDGE_MILLISECONDS : 1000);
        if (ready < 0 && errno != EINTR) fail("poll");
        if (polls[0].revents && !command()) return 0;
        if (polls[1].revents) accept_one(listener);
        for (int i = 0; i < count; i++) {
            session *s = &sessions[i];
            if (s->fd < 0) continue;
            if (polls[i + 2].revents & POLLOUT) feed_some(s);
            if ((polls[i + 2].revents & (POLLIN | POLLHUP | POLLERR)) && !receive(s)) {
                over(s);
                continue;
            }
            int between = !feed || !s->fed || s->fed_all; /* never a KEEPALIVE inside a message of the feed */
            int due = now() - s->last_sent > KEEPALIVE_SECONDS || (nudging && !ready);
            if (s->established && between && due) send_all(s, KEEPALIVE, HEADER);
        }
    }
}
