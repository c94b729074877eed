#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 4 << 20, STDIN_MARK = 0xffffffff, PER_ADDRESS = 25000 };

struct connection *all;
struct counts counts;

static int poller;
static struct sockaddr_in server;
static char request_path[64];
static char buffer[BUFFER];
static const unsigned char mask[4] = {0x5a, 0x17, 0xc3, 0x2e};

uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

void trouble(const char *words, size_t length) {
  if (counts.trouble[0]) return;
  size_t n = 0;
  for (size_t i = 0; i < length && n + 1 < sizeof counts.trouble; i++)
    if (words[i] >= ' ' && words[i] < 127) // what JSON would have to escape becomes another
      counts.trouble[n++] = words[i] == '"' || words[i] == '\\' ? '\'' : words[i];
  counts.trouble[n] = 0;
}

static void watch(struct connection *c, int operation) {
  struct epoll_event event = {.data.u32 = c->index};
  event.events = (c->deaf ? 0 : EPOLLIN) | (c->late_length || c->state == GONE ? EPOLLOUT : 0);
  epoll_ctl(poller, operation, c->fd, &event);
}

void wire_begin(uint16_t port, const char *path) {
  server = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  snprintf(request_path, sizeof request_path, "%s", path);
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = STDIN_MARK};
  epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
}

static void write_raw(struct connection *c, const char *bytes, size_t length) {
  ssize_t sent = 0;
  if (!c->late_length) {
    sent = send(c->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) sent = 0; // a socket that is broken says so when it is read
    counts.bytes_out += (uint64_t)sent;
  }
  if ((size_t)sent == length) return;
  size_t left = length - (size_t)sent;
  if (c->late_length + left > c->late_size) {
    c->late_size = (c->late_length + left) * 2;
    c->late = realloc(c->late, c->late_size);
  }
  memcpy(c->late + c->late_length, bytes + sent, left);
  c->late_length += left;
  watch(c, EPOLL_CTL_MOD);
}

static void write_frame(struct connection *c, unsigned opcode, const char *text, size_t length) {
  static char frame[1 << 17];
  size_t head = length < 126 ? 6 : 8;
  if (length > sizeof frame - 8) abort();
  frame[0] = (char)(0x80 | opcode);
  frame[1] = (char)(0x80 | (length < 126 ? length : 126));
  if (length >= 126) frame[2] = (char)(length >> 8), frame[3] = (char)length;
  memcpy(frame + head - 4, mask, 4);
  for (size_t i = 0; i < length; i++) frame[head + i] = (char)(text[i] ^ (char)mask[i & 3]);
  write_raw(c, frame, head + length);
}

void wire_send(struct connection *c, const char *text, size_t length) {
  write_frame(c, 1, text, length);
}

void wire_open(struct connection *c) {
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) {
    trouble("no more sockets", 15);
    counts.broken++;
    wire_closed(c);
    return;
  }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (c->index >= PER_ADDRESS) { // one address has not ports enough
    struct sockaddr_in own = {.sin_family = AF_INET};
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + c->index / PER_ADDRESS);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(c->fd, (struct sockaddr *)&own, sizeof own)) perror("load: bind");
  }
  c->rest_length = c->late_length = 0;
  c->close_code = 0;
  c->step = 0;
  c->deaf = false;
  c->state = GONE; // until it is connected, which epoll tells by EPOLLOUT
  if (connect(c->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
    trouble("cannot connect", 14);
    counts.broken++;
    close(c->fd);
    c->fd = -1;
    wire_closed(c);
    return;
  }
  watch(c, EPOLL_CTL_ADD);
}

static void ask_upgrade(struct connection *c) {
  char path[96], request[512];
  snprintf(path, sizeof path, request_path, c->room);
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n\r\n",
                        path, ntohs(server.sin_port));
  c->state = UPGRADING;
  watch(c, EPOLL_CTL_MOD);
  write_raw(c, request, (size_t)length);
}

void wire_close(struct connection *c, bool abruptly) {
  if (c->fd < 0) return;
  if (abruptly) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  close(c->fd);
  c->fd = -1;
  c->state = GONE;
  free(c->rest);
  free(c->late);
  c->rest = c->late = NULL;
  c->rest_length = c->rest_size = c->late_length = c->late_size = 0;
}

void wire_listen(struct connection *c, bool on) {
  c->deaf = !on;
  watch(c, EPOLL_CTL_MOD);
}

static void broken(struct connection *c, const char *words) {
  trouble(words, strlen(words));
  counts.broken++;
  wire_close(c, false);
  wire_closed(c);
}

// The answer to the request; returns how many bytes of it there are, 0 while it is not whole.
static size_t upgraded(struct connection *c, char *bytes, size_t length) {
  char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (!end) return 0;
  if (length < 12 || memcmp(bytes + 9, "101", 3)) {
    trouble(bytes, length < 60 ? length : 60);
    broken(c, "no upgrade");
    return length;
  }
  c->state = ENTERING;
  wire_opened(c);
  return (size_t)(end - bytes) + 4;
}

static size_t frames(struct connection *c, char *bytes, size_t length, uint64_t now) {
  size_t at = 0;
  while (length - at >= 2 && c->fd >= 0) {
    const unsigned char *head = (unsigned char *)bytes + at;
    size_t size = head[1] & 127, skip = 2;
    if (size == 126) {
      if (length - at < 4) break;
      size = (size_t)head[2] << 8 | head[3], skip = 4;
    } else if (size == 127) {
      if (length - at < 10) break;
      size = 0, skip = 10;
      for (int i = 2; i < 10; i++) size = size << 8 | head[i];
    }
    if (length - at < skip + size) break;
    char *text = bytes + at + skip;
    at += skip + size;
    switch (head[0]) {
    case 0x81:
    case 0x82:
      wire_heard(c, text, size, now);
      break;
    case 0x88:
      if (size >= 2) c->close_code = (uint16_t)((unsigned char)text[0] << 8 | (unsigned char)text[1]);
      if (size > 2) trouble(text + 2, size - 2);
      break;
    case 0x89:
      write_frame(c, 10, text, size);
      break;
    case 0x8a:
      break;
    default:
      broken(c, "a frame that this client does not know");
    }
  }
  return at;
}

static void readable(struct connection *c) {
  for (;;) {
    size_t before = c->rest_length;
    if (before) memcpy(buffer, c->rest, before);
    ssize_t got = recv(c->fd, buffer + before, BUFFER - before, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      broken(c, got ? strerror(errno) : "the server closed");
      return;
    }
    counts.bytes_in += (uint64_t)got;
    size_t length = before + (size_t)got, at = 0;
    c->rest_length = 0;
    if (c->state == UPGRADING) at = upgraded(c, buffer, length);
    if (c->state >= ENTERING) at += frames(c, buffer + at, length - at, now_ns());
    if (c->fd < 0) return;
    if (at < length) {
      if (c->rest_size < length - at) {
        c->rest_size = length - at;
        c->rest = realloc(c->rest, c->rest_size);
      }
      c->rest_length = length - at;
      memcpy(c->rest, buffer + at, c->rest_length);
    }
    if (length < BUFFER) return;
    if (at == 0) {
      broken(c, "a frame of more than 4 MB");
      return;
    }
  }
}

static void writable(struct connection *c) {
  if (c->state == GONE) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
      broken(c, strerror(error));
    else
      ask_upgrade(c);
    return;
  }
  if (!c->late_length) return;
  ssize_t sent = send(c->fd, c->late, c->late_length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent <= 0) return;
  counts.bytes_out += (uint64_t)sent;
  c->late_length -= (size_t)sent;
  memmove(c->late, c->late + sent, c->late_length);
  if (!c->late_length) watch(c, EPOLL_CTL_MOD);
}

bool wire_poll(int64_t wait_ns) {
  struct epoll_event events[1024];
  struct timespec wait = {wait_ns / 1000000000, wait_ns % 1000000000};
  int ready = epoll_pwait2(poller, events, 1024, wait_ns < 0 ? NULL : &wait, NULL);
  bool line = false;
  for (int i = 0; i < ready; i++) {
    if (events[i].data.u32 == STDIN_MARK) {
      line = true;
      continue;
    }
    struct connection *c = &all[events[i].data.u32];
    if (c->fd >= 0 && events[i].events & (EPOLLOUT | EPOLLERR)) writable(c);
    if (c->fd >= 0 && c->state != GONE && events[i].events & ~(uint32_t)EPOLLOUT) readable(c);
  }
  return line;
}
