// ssebench: many browsers of server-sent events on one thread. Counts events, checks their order and measures their age.
//
// The age of an event is taken from a number of microseconds since the epoch in it (-k), at the moment its last byte is read.
// A line on stderr when all are connected, WARM later when it begins to measure and SECONDS later when it has, so that a server's
// work can be taken over the very same time; then one line of JSON on stdout.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "sse_reader.h"

#define IP_BIND_ADDRESS_NO_PORT_ 24
#define BROWSERS_AN_ADDRESS 10000
#define CONNECTS_AT_ONCE 64
#define MAX_IDS 65536

typedef struct {
    int fd, opened, reads_nothing, had_first;
    uint64_t events, last_id, next_id;
    sse_reader reader;
} browser;

static struct { int port, browsers, stalled, connects_per_s, pages; double seconds, warm, connect_within; const char *path, *key; uint64_t cells_since_ms; }
    option = {8000, 1000, 0, 2000, 1, 10, 2, 20, "/", "id:", 0};
static browser *browsers;
static int epoll, started, opened, failed, closed, bad_status, measuring;
static uint64_t began, now, events, bytes, cells, out_of_order, lost, first_events, last_first, ids[MAX_IDS], id_count;
static histogram ages, cell_ages;

static uint64_t clock_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000;
}

// All browsers of one page are sent the same ids; one that misses an id the others had has lost an event.
static void check_loss(browser *b, uint64_t id) {
    uint64_t low = 0, high = id_count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (ids[middle] < id) low = middle + 1; else high = middle;
    }
    if (low == id_count && id_count < MAX_IDS) ids[id_count++] = id;
    if (b->had_first && low > b->next_id) lost += low - b->next_id;
    b->next_id = low + 1;
}

static void on_event(void *client, uint64_t id) {
    browser *b = client;
    if (id) {
        out_of_order += id <= b->last_id;
        b->last_id = id;
        if (option.pages == 1) check_loss(b, id);
    }
    if (!b->had_first) {
        b->had_first = 1;
        first_events++;
        last_first = now;
    } else if (id && measuring) {
        events++;
        b->events++;
        histogram_add(&ages, (int64_t)(now - id));
    }
}

static void on_cell(void *client, uint64_t ms) {
    browser *b = client;
    if (!measuring || !b->had_first) return;  // the first event holds prices of any age
    cells++;
    histogram_add(&cell_ages, ((int64_t)(now / 1000) - (int64_t)(option.cells_since_ms + ms)) * 1000);
}

static void drop(browser *b, int *counter) {
    close(b->fd);
    b->fd = -1;
    ++*counter;
}

static void open_next(void) {
    browser *b = &browsers[started];
    b->reads_nothing = started < option.stalled;
    b->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (b->reads_nothing) { int small = 4096; setsockopt(b->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); }
    // One source address has too few ports for all of them, and the kernel searches ever longer for one of the last that are free.
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001u + (unsigned)(started / BROWSERS_AN_ADDRESS))};
    int on = 1;
    setsockopt(b->fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT_, &on, sizeof on);
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)option.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (b->fd < 0 || bind(b->fd, (void *)&own, sizeof own) || (connect(b->fd, (void *)&peer, sizeof peer) && errno != EINPROGRESS)) drop(b, &failed);
    else {
        struct epoll_event e = {.events = EPOLLOUT, .data.u32 = (unsigned)started};
        epoll_ctl(epoll, EPOLL_CTL_ADD, b->fd, &e);
    }
    started++;
}

static void send_request(browser *b, unsigned number) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(b->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    char path[1024], request[2048];
    snprintf(path, sizeof path, option.path, number % (unsigned)option.pages + 1);  // a %d in the path spreads browsers over pages
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n\r\n", path, option.port);
    if (error || write(b->fd, request, (size_t)length) != length) { drop(b, &failed); return; }
    b->opened = 1;
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = number};
    epoll_ctl(epoll, EPOLL_CTL_MOD, b->fd, &e);
}

static void read_some(browser *b, const sse_rules *rules) {
    static char buffer[1 << 18];
    ssize_t length = read(b->fd, buffer, sizeof buffer);
    if (length <= 0) {
        if (length == 0 || (errno != EAGAIN && errno != EINTR)) drop(b, &closed);
        return;
    }
    now = clock_us();
    int in_head = !b->reader.in_body;
    uint64_t before = b->reader.body_bytes;
    sse_feed(&b->reader, rules, b, buffer, buffer + length);
    if (measuring) bytes += b->reader.body_bytes - before;
    if (in_head && b->reader.in_body) {
        opened++;
        bad_status += b->reader.status != 200;
        if (b->reads_nothing) { struct epoll_event e = {.events = 0, .data.u32 = (unsigned)(b - browsers)}; epoll_ctl(epoll, EPOLL_CTL_MOD, b->fd, &e); }
    }
}

static void run(const sse_rules *rules) {
    uint64_t measure_from = 0, end = 0;
    struct epoll_event ready[1024];
    began = clock_us();
    for (;;) {
        now = clock_us();
        // A few at a time: whoever is here already must be read meanwhile, or what piled up were read, and counted, while measuring.
        for (int i = 0; i < CONNECTS_AT_ONCE && started < option.browsers && (double)(now - began) * option.connects_per_s / 1e6 >= started; i++) open_next();
        int settled = opened + failed + closed >= option.browsers || (double)(now - began) / 1e6 > option.connect_within;
        if (!end && started == option.browsers && settled) {
            measure_from = now + (uint64_t)(option.warm * 1e6);
            end = measure_from + (uint64_t)(option.seconds * 1e6);
            fprintf(stderr, "connected %d, failed %d\n", opened, failed);
        }
        if (end && now >= end) { fprintf(stderr, "measured\n"); return; }
        if (end && now >= measure_from && !measuring) { measuring = 1; fprintf(stderr, "measuring\n"); }
        int count = epoll_wait(epoll, ready, 1024, started < option.browsers ? 1 : 20);
        for (int i = 0; i < count; i++) {
            browser *b = &browsers[ready[i].data.u32];
            if (b->fd < 0) continue;
            if (!b->opened) send_request(b, ready[i].data.u32);
            else if (b->reads_nothing && b->reader.in_body) drop(b, &closed);  // it asked for nothing: this is the peer's end
            else read_some(b, rules);
        }
    }
}

static void report(void) {
    int live = 0, torn = 0;
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < option.browsers; i++) {
        browser *b = &browsers[i];
        torn += b->reader.torn;
        if (b->reads_nothing) continue;
        live += b->fd >= 0;
        if (b->events < least) least = b->events;
        if (b->events > most) most = b->events;
    }
    printf("{\"browsers\":%d,\"live\":%d,\"failed\":%d,\"closed\":%d,\"bad_status\":%d,", option.browsers, live, failed, closed, bad_status);
    printf("\"torn\":%d,\"out_of_order\":%llu,\"lost\":%llu,", torn, (unsigned long long)out_of_order, (unsigned long long)lost);
    printf("\"events\":%llu,\"events_per_s\":%.1f,\"bytes_per_s\":%.0f,", (unsigned long long)events, events / option.seconds, bytes / option.seconds);
    printf("\"least_events\":%llu,\"most_events\":%llu,", (unsigned long long)least, (unsigned long long)most);
    printf("\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,", histogram_ms(&ages, .5), histogram_ms(&ages, .99), histogram_ms(&ages, 1));
    printf("\"first_events\":%llu,\"all_first_s\":%.3f", (unsigned long long)first_events, last_first ? (last_first - began) / 1e6 : 0);
    if (option.cells_since_ms)
        printf(",\"cells\":%llu,\"cell_p50_ms\":%.0f,\"cell_p99_ms\":%.0f,\"cell_max_ms\":%.0f", (unsigned long long)cells,
               histogram_ms(&cell_ages, .5), histogram_ms(&cell_ages, .99), histogram_ms(&cell_ages, 1));
    printf("}\n");
}

int main(int count, char **arguments) {
    for (int o; (o = getopt(count, arguments, "p:u:n:t:w:c:s:r:k:m:v:")) != -1;) switch (o) {
        case 'p': option.port = atoi(optarg); break;
        case 'u': option.path = optarg; break;             // may hold one %d, the number of the page
        case 'n': option.browsers = atoi(optarg); break;
        case 't': option.seconds = atof(optarg); break;
        case 'w': option.warm = atof(optarg); break;
        case 'c': option.connect_within = atof(optarg); break;  // who is not through by then is not waited for
        case 's': option.stalled = atoi(optarg); break;    // so many read nothing after the head
        case 'r': option.connects_per_s = atoi(optarg); break;
        case 'k': option.key = optarg; break;
        case 'm': option.pages = atoi(optarg); break;      // different pages: what the %d runs over; only those of one page are compared
        case 'v': option.cells_since_ms = strtoull(optarg, NULL, 10); break;  // volume cells hold milliseconds since then
        default: return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    browsers = calloc((size_t)option.browsers, sizeof *browsers);
    epoll = epoll_create1(0);
    sse_rules rules = {option.key, option.cells_since_ms ? "\"volume-" : NULL, on_event, on_cell};
    run(&rules);
    report();
    return 0;
}
