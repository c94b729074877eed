// One WebSocket connection of a load client, and all of them: opening, reading, writing (RFC 6455).

#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state { GONE, UPGRADING, ENTERING, INSIDE };

struct connection {
  int fd;
  enum state state;
  bool deaf;                   // it takes nothing from its socket
  uint32_t index, room, place; // place: its number within its room
  uint16_t close_code;         // what the server's close frame said; 0: none came
  uint32_t step;               // how far its protocol has come with entering
  // What it has said and heard in this phase.
  uint32_t said;
  uint32_t *next;  // for each sender of its room: the number that is to come
  uint64_t heard;
  uint64_t order;  // a digest of all that it heard, in order
  uint64_t gaps;   // messages that the server said are gone
  // Bytes that wait: the beginning of a frame, and what the socket did not take.
  char *rest, *late;
  size_t rest_length, rest_size, late_length, late_size;
  // What a client shows when it comes back.
  char session[64], epoch[64];
  uint64_t seq;
};

struct counts {
  uint64_t bytes_in, bytes_out, refused, broken;
  char trouble[160]; // the first word of an error
};

extern struct connection *all;
extern struct counts counts;

uint64_t now_ns(void);

// Prepare for connections to 127.0.0.1:port; `path` may have one %u for the room's number.
void wire_begin(uint16_t port, const char *path);
// Open the connection, without waiting for anything.
void wire_open(struct connection *c);
// End it at once. `abruptly`: without a close frame, as a lost network does.
void wire_close(struct connection *c, bool abruptly);
// One text frame, masked. What the socket does not take now is sent when it does.
void wire_send(struct connection *c, const char *text, size_t length);
// Deal with all that is ready; wait for it at most so long. Returns whether stdin has a line.
bool wire_poll(int64_t wait_ns);
void wire_listen(struct connection *c, bool on);
void trouble(const char *words, size_t length);

// Told by wire.c; in load.c.
void wire_opened(struct connection *c);
void wire_heard(struct connection *c, char *text, size_t length, uint64_t now);
void wire_closed(struct connection *c);

#endif
