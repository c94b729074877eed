// The limit: what the kernel alone takes. One thread, epoll, and for each turn one send() to each
// member of each room that something was said in. It takes a client's frame off its mask and gives
// it to the room as it is: no JSON, no names, no numbers, no history, no time, no limits.
//
// The room is the path's: GET /room/7. What a full socket does not take waits in a buffer of its own.
//
// limit PORT

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 20, READ = 1 << 20 };

struct room {
  int *members, count, room_for;
  char *said;
  size_t length, capacity;
  int changed;
};

struct connection {
  int room, place;      // room: -1 before the upgrade
  char *rest;           // the beginning of a frame that has not come whole
  size_t have;
  char *late;           // what the socket did not take
  size_t waiting, capacity;
};

static struct connection *all;
static struct room *rooms;
static int *changed, changes, poller;
static char input[READ + 65536];

static void watch(int fd, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  epoll_ctl(poller, operation, fd, &event);
}

static void keep(int fd, const char *bytes, size_t length) {
  struct connection *c = &all[fd];
  if (c->waiting + length > c->capacity) {
    c->capacity = (c->waiting + length) * 2;
    c->late = realloc(c->late, c->capacity);
  }
  memcpy(c->late + c->waiting, bytes, length);
  if (!c->waiting) watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  c->waiting += length;
}

static void give(int fd, const char *bytes, size_t length) {
  ssize_t sent = all[fd].waiting ? 0 : send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) sent = 0;
  if ((size_t)sent < length) keep(fd, bytes + sent, length - (size_t)sent);
}

static void drain(int fd) {
  struct connection *c = &all[fd];
  ssize_t sent = send(fd, c->late, c->waiting, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent <= 0) return;
  c->waiting -= (size_t)sent;
  memmove(c->late, c->late + sent, c->waiting);
  if (c->waiting) return;
  free(c->late);
  c->late = NULL;
  c->capacity = 0;
  watch(fd, EPOLL_CTL_MOD, EPOLLIN);
}

static void end(int fd) {
  struct connection *c = &all[fd];
  if (c->room >= 0) {
    struct room *room = &rooms[c->room];
    int last = room->members[--room->count];
    room->members[c->place] = last;
    all[last].place = c->place;
  }
  free(c->rest);
  free(c->late);
  close(fd);
}

static void enter(int fd, const char *request) {
  static const char answer[] =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  struct connection *c = &all[fd];
  c->room = strncmp(request, "GET /room/", 10) ? 0 : atoi(request + 10) % MOST;
  struct room *room = &rooms[c->room];
  if (room->count == room->room_for) {
    room->room_for = room->room_for ? room->room_for * 2 : 4;
    room->members = realloc(room->members, sizeof(int) * (size_t)room->room_for);
  }
  c->place = room->count;
  room->members[room->count++] = fd;
  give(fd, answer, sizeof answer - 1);
}

static void say(int number, char *text, const unsigned char *mask, size_t length) {
  struct room *room = &rooms[number];
  if (room->length + length + 4 > room->capacity) {
    room->capacity = (room->length + length + 4) * 2;
    room->said = realloc(room->said, room->capacity);
  }
  unsigned char *to = (unsigned char *)room->said + room->length;
  *to++ = 0x81;
  if (length < 126) {
    *to++ = (unsigned char)length;
  } else {
    *to++ = 126;
    *to++ = (unsigned char)(length >> 8);
    *to++ = (unsigned char)length;
  }
  for (size_t i = 0; i < length; i++) to[i] = (unsigned char)text[i] ^ mask[i & 3];
  room->length = (size_t)(to - (unsigned char *)room->said) + length;
  if (!room->changed) {
    room->changed = 1;
    changed[changes++] = number;
  }
}

static void hear(int fd) {
  struct connection *c = &all[fd];
  if (c->have) memcpy(input, c->rest, c->have);
  ssize_t got = recv(fd, input + c->have, READ, MSG_DONTWAIT);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN) end(fd);
    return;
  }
  size_t length = c->have + (size_t)got, at = 0;
  c->have = 0;
  if (c->room < 0) { // the head of a request comes whole over the loopback
    enter(fd, input);
    return;
  }
  while (length - at >= 6) {
    const unsigned char *head = (unsigned char *)input + at;
    size_t size = head[1] & 127, skip = 6;
    if (size == 126) size = (size_t)head[2] << 8 | head[3], skip = 8;
    if (length - at < skip + size) break;
    if ((head[0] & 15) == 1) say(c->room, input + at + skip, head + skip - 4, size);
    at += skip + size;
  }
  c->have = length - at;
  if (!c->have) return;
  c->rest = realloc(c->rest, c->have);
  memcpy(c->rest, input + at, c->have);
}

int main(int count, char **words) {
  if (count != 2) return 2;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  all = calloc(MOST, sizeof *all);
  rooms = calloc(MOST, sizeof *rooms);
  changed = calloc(MOST, sizeof *changed);
  int door = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in here = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(words[1])),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(door, (struct sockaddr *)&here, sizeof here) || listen(door, 4096)) {
    perror("limit: cannot listen");
    return 1;
  }
  poller = epoll_create1(0);
  watch(door, EPOLL_CTL_ADD, EPOLLIN);
  for (;;) {
    struct epoll_event events[1024];
    int ready = epoll_wait(poller, events, 1024, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == door) {
        int new = accept4(door, NULL, NULL, SOCK_NONBLOCK);
        if (new < 0) continue;
        setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        all[new] = (struct connection){.room = -1};
        watch(new, EPOLL_CTL_ADD, EPOLLIN);
        continue;
      }
      if (events[i].events & EPOLLOUT) drain(fd);
      if (events[i].events & ~EPOLLOUT) hear(fd);
    }
    while (changes) {
      struct room *room = &rooms[changed[--changes]];
      for (int i = 0; i < room->count; i++) give(room->members[i], room->said, room->length);
      room->length = 0;
      room->changed = 0;
    }
  }
}
