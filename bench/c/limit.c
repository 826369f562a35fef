// limit PORT HZ BYTES [PAGES]: the floor of fan-out. One thread, one write() per browser and event, nothing else.
// With PAGES, browsers take pages in turn and each event goes to one page's browsers after another's, as it has to where pages
// differ; without, to all in the order they came, whose sockets lie side by side in the kernel's memory.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_BROWSERS 65536
static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n";
static int epoll, listener, timer, browsers[MAX_BROWSERS], count, pages = 1;

static void watch(int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static void take_next(void) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd);
}

static void answer(int fd) {
    char request[4096];
    if (read(fd, request, sizeof request) > 0 && count < MAX_BROWSERS) {
        if (write(fd, HEAD, sizeof HEAD - 1) > 0) browsers[count++] = fd;
        return;
    }
    close(fd);
    for (int i = 0; i < count; i++)
        if (browsers[i] == fd) { browsers[i] = browsers[--count]; return; }
}

static void send_event(char *event, int size) {
    uint64_t expirations;
    struct timespec t;
    if (read(timer, &expirations, sizeof expirations) < 0) return;
    clock_gettime(CLOCK_REALTIME, &t);
    int length = sprintf(event, "id: %llu\ndata: ", (unsigned long long)t.tv_sec * 1000000u + (unsigned long long)t.tv_nsec / 1000);
    int rest = size > length + 2 ? size - length - 2 : 1;
    memset(event + length, 'x', (size_t)rest);
    memcpy(event + length + rest, "\n\n", 2);
    for (int page = 0; page < pages; page++) for (int i = page; i < count; i += pages)
        if (write(browsers[i], event, (size_t)(length + rest + 2)) < 0) continue;  // slow ones miss it: this is the floor
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) return 2;
    if (argc == 5 && (pages = atoi(argv[4])) < 1) return 2;
    int port = atoi(argv[1]), size = atoi(argv[3]), on = 1;
    long ns = (long)(1e9 / atof(argv[2]));
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll = epoll_create1(0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&own, sizeof own) || listen(listener, 4096)) return 1;
    watch(listener);
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec every = {{ns / 1000000000, ns % 1000000000}, {ns / 1000000000, ns % 1000000000}};
    timerfd_settime(timer, 0, &every, NULL);
    watch(timer);
    char *event = malloc((size_t)size + 256);
    for (struct epoll_event ready[256];;) {
        int n = epoll_wait(epoll, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) take_next();
            else if (fd == timer) send_event(event, size);
            else answer(fd);
        }
    }
}
