/*
 * The MCP server of the benches: it answers as fast as it can, so that what is measured is the proxy.
 *
 *     upstream PORT        listens on 127.0.0.1, ends on SIGTERM
 *
 * One thread, epoll, HTTP/1.1 with keep-alive and pipelining. A POST is answered by its path:
 *
 *     /sse           one event as text/event-stream, chunked, then the end of the body
 *     /big           10 MB of JSON with Content-Length
 *     /big-chunked   the same 10 MB in chunks of 64 KiB
 *     anything else  300 bytes of JSON with Content-Length
 *
 * The answer carries the id of the request, because a proxy may match the two. "initialize" gets a
 * handshake, a message without id gets 202. It reads JSON by looking for bytes: it serves the
 * benches' own clients and nobody else.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    IN_SIZE = 65536,      /* longest request: a head and a body of a few hundred bytes */
    OUT_SIZE = 65536,     /* answers of pipelined requests, collected for one write */
    ANSWER_ROOM = 2048,   /* what one small answer may need of OUT_SIZE */
    JSON_BYTES = 300,
    BIG_BYTES = 10 * 1000 * 1000,
    CHUNK_BYTES = 65536,
    EVENTS = 256,
};

#define SESSION "b7a1c0de-0000-4000-8000-000000000001"
#define ID_ROOM 64

struct connection {
    int fd;
    size_t in_used;
    size_t out_used, out_sent;
    const char *big;      /* a long answer on its way, sent straight from memory */
    size_t big_left;
    int wants_write;
    char in[IN_SIZE];
    char out[OUT_SIZE];
};

static const char json_start[] = "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"";
static const char json_tail[] = "\"}]}}";
static char *big_rest, *big_chunked;
static size_t big_chunked_size;
static int epoll_fd;
static char date_text[64];
static time_t date_second;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static const char *date_now(void)
{
    time_t now = time(NULL);
    if (now != date_second) {
        struct tm parts;
        gmtime_r(&now, &parts);
        strftime(date_text, sizeof date_text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date_second = now;
    }
    return date_text;
}

/* The headers that Express and the TypeScript SDK send with an answer. */
static int write_head(char *out, const char *type, const char *framing)
{
    return sprintf(out,
                   "HTTP/1.1 200 OK\r\n"
                   "X-Powered-By: Express\r\n"
                   "cache-control: no-cache, no-transform\r\n"
                   "content-type: %s\r\n"
                   "mcp-session-id: " SESSION "\r\n"
                   "Date: %s\r\n"
                   "Connection: keep-alive\r\n"
                   "Keep-Alive: timeout=5\r\n"
                   "%s\r\n\r\n",
                   type, date_now(), framing);
}

/* A tool's answer of exactly JSON_BYTES; returns them. */
static int write_json(char *out, const char *id)
{
    int used = sprintf(out, json_start, id);
    size_t fill = JSON_BYTES - (size_t)used - (sizeof json_tail - 1);
    memset(out + used, 'x', fill);
    memcpy(out + used + fill, json_tail, sizeof json_tail - 1);
    return JSON_BYTES;
}

static int answer_json(char *out, const char *id)
{
    char framing[64];
    sprintf(framing, "Content-Length: %d", JSON_BYTES);
    int used = write_head(out, "application/json", framing);
    return used + write_json(out + used, id);
}

static int answer_event(char *out, const char *id)
{
    static const char before[] = "event: message\ndata: ";
    size_t event = sizeof before - 1 + JSON_BYTES + 2;
    int used = write_head(out, "text/event-stream", "Transfer-Encoding: chunked");
    used += sprintf(out + used, "%zx\r\n%s", event, before);
    used += write_json(out + used, id);
    return used + sprintf(out + used, "\n\n\r\n0\r\n\r\n");
}

static int answer_handshake(char *out, const char *id)
{
    char body[512], framing[64];
    int size = sprintf(body,
                       "{\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
                       "\"serverInfo\":{\"name\":\"bench-upstream\",\"version\":\"1.0.0\"}},\"jsonrpc\":\"2.0\",\"id\":%s}",
                       id);
    sprintf(framing, "Content-Length: %d", size);
    int used = write_head(out, "application/json", framing);
    memcpy(out + used, body, (size_t)size);
    return used + size;
}

/* The long answers but for their start, which holds the id of the request: write_big_start. */
static void make_big(void)
{
    big_rest = malloc(BIG_BYTES);
    memset(big_rest, 'x', BIG_BYTES);
    memcpy(big_rest + BIG_BYTES - (sizeof json_tail - 1), json_tail, sizeof json_tail - 1);

    big_chunked = malloc(BIG_BYTES + BIG_BYTES / CHUNK_BYTES * 16 + ANSWER_ROOM);
    char *at = big_chunked;
    for (size_t left = BIG_BYTES; left;) {
        size_t size = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        at += sprintf(at, "%zx\r\n", size);
        memcpy(at, big_rest + (BIG_BYTES - left), size);
        at += size;
        at += sprintf(at, "\r\n");
        left -= size;
    }
    at += sprintf(at, "0\r\n\r\n");
    big_chunked_size = (size_t)(at - big_chunked);
}

static int answer_big(struct connection *c, char *out, const char *id, int is_chunked)
{
    char start[ANSWER_ROOM / 2], framing[64];
    int size = sprintf(start, json_start, id);
    if (is_chunked)
        sprintf(framing, "Transfer-Encoding: chunked");
    else
        sprintf(framing, "Content-Length: %d", size + BIG_BYTES);
    int used = write_head(out, "application/json", framing);
    if (is_chunked)
        used += sprintf(out + used, "%x\r\n%s\r\n", size, start);
    else
        used += sprintf(out + used, "%s", start);
    c->big = is_chunked ? big_chunked : big_rest;
    c->big_left = is_chunked ? big_chunked_size : BIG_BYTES;
    return used;
}

/* The id as it is written in the request: the SDKs put it last. 0 when there is none. */
static int find_id(char *id, const char *body, size_t size)
{
    static const char key[] = "\"id\":";
    const char *found = NULL, *end = body + size;
    for (const char *at = body; (at = memmem(at, (size_t)(end - at), key, sizeof key - 1)); at++)
        found = at;
    if (!found)
        return 0;
    found += sizeof key - 1;
    size_t n = strcspn(found, ",}");
    if (n == 0 || n >= ID_ROOM)
        return 0;
    memcpy(id, found, n);
    id[n] = 0;
    return 1;
}

static void watch(struct connection *c, int write_too)
{
    struct epoll_event event = {.events = write_too ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    if (c->wants_write == write_too)
        return;
    c->wants_write = write_too;
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

/* Sends what is ready. -1: the peer is gone, 0: the socket is full, 1: all is sent. */
static int flush_out(struct connection *c)
{
    while (c->out_sent < c->out_used || c->big_left) {
        int from_out = c->out_sent < c->out_used;
        const char *data = from_out ? c->out + c->out_sent : c->big;
        size_t size = from_out ? c->out_used - c->out_sent : c->big_left;
        ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        if (from_out) {
            c->out_sent += (size_t)n;
        } else {
            c->big += n;
            c->big_left -= (size_t)n;
        }
    }
    c->out_sent = c->out_used = 0;
    return 1;
}

static void answer(struct connection *c, const char *path, const char *body, size_t size)
{
    char id[ID_ROOM];
    char *out = c->out + c->out_used;
    if (!find_id(id, body, size)) {
        c->out_used += (size_t)sprintf(out, "HTTP/1.1 202 Accepted\r\nDate: %s\r\nContent-Length: 0\r\n\r\n", date_now());
    } else if (memmem(body, size, "\"initialize\"", 12)) {
        c->out_used += (size_t)answer_handshake(out, id);
    } else if (!strncmp(path, "/big ", 5)) {
        c->out_used += (size_t)answer_big(c, out, id, 0);
    } else if (!strncmp(path, "/big-chunked ", 13)) {
        c->out_used += (size_t)answer_big(c, out, id, 1);
    } else if (!strncmp(path, "/sse ", 5)) {
        c->out_used += (size_t)answer_event(out, id);
    } else {
        c->out_used += (size_t)answer_json(out, id);
    }
}

/* Answers one complete request of `in`. -1: not HTTP as we speak it, 0: incomplete, else its length. */
static long take_request(struct connection *c, char *in, size_t have)
{
    static const char length_name[] = "\ncontent-length:";
    char *end = memmem(in, have, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - in) + 4, body = 0;
    *end = 0;
    char *length = strcasestr(in, length_name);
    char *path = strchr(in, ' ');
    *end = '\r';
    if (!path)
        return -1;
    if (length)
        body = strtoul(length + sizeof length_name - 1, NULL, 10);
    if (head + body > IN_SIZE)
        return -1;
    if (have < head + body)
        return 0;
    answer(c, path + 1, in + head, body);
    return (long)(head + body);
}

/* Answers all complete requests; stops at a long answer or a full buffer. -1: close. */
static int take_requests(struct connection *c)
{
    size_t done = 0;
    int state = 1;
    while (state == 1 && done < c->in_used) {
        long n = take_request(c, c->in + done, c->in_used - done);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
        if (c->big_left || c->out_used > OUT_SIZE - ANSWER_ROOM)
            state = flush_out(c);
    }
    memmove(c->in, c->in + done, c->in_used - done);
    c->in_used -= done;
    if (state == 1)
        state = flush_out(c);
    if (state >= 0)
        watch(c, state == 0);
    return state;
}

static int serve(struct connection *c, unsigned events)
{
    if (c->wants_write) {
        int state = flush_out(c);
        return state <= 0 ? state : take_requests(c);
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return 0;
    ssize_t n = recv(c->fd, c->in + c->in_used, IN_SIZE - c->in_used, 0);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (n == 0)
        return -1;
    c->in_used += (size_t)n;
    return take_requests(c);
}

static void accept_all(int listener)
{
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (!c)
            fail("calloc");
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event events[EVENTS], listening = {.events = EPOLLIN, .data.ptr = NULL};
    int yes = 1;
    if (argc != 2) {
        fprintf(stderr, "usage: upstream PORT\n");
        return 2;
    }
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    make_big();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        fail("listen");
    socklen_t size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    epoll_fd = epoll_create1(0);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                accept_all(listener);
            } else if (serve(c, events[i].events) < 0) {
                close(c->fd);
                free(c);
            }
        }
    }
}
