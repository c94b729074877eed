// How each server is spoken to: what a client says to enter a room and to talk, and how it knows a
// message of the room among what it hears. One table; a new peer is a line in it.

#ifndef ADAPTERS_H
#define ADAPTERS_H

#include "wire.h"

enum meaning {
  NOTHING, // of no concern here
  ENTERED, // the client is in its room
  MESSAGE, // someone said something in the room
  ANSWER,  // `reply` is to be sent
  REFUSAL, // the server says that something is wrong
};

struct adapter {
  const char *name, *path;
  bool lines;        // one frame may have several messages, a line each
  bool speaks_first; // the server does, after the upgrade
  bool enters_alone; // being connected is being in the room
  // Each writes a text to `to` (of 128 KiB) and returns its length.
  size_t (*join)(const struct connection *c, char *to);
  size_t (*say)(const struct connection *c, const char *text, char *to);
  enum meaning (*hear)(struct connection *c, const char *text, size_t length, char *reply,
                       size_t *reply_length);
};

// Hubbub alone: each connection is in so many rooms, of which it talks in the first.
extern unsigned adapter_spread;

const struct adapter *adapter_named(const char *name);

#endif
