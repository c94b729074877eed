// What is said in one phase of a run, and whether everyone hears it: each message carries its phase,
// its sender, its number and when it was due, and each member knows which number is to come next.

#ifndef CHECK_H
#define CHECK_H

#include "adapters.h"
#include "histogram.h"

struct check {
  unsigned phase, members, senders; // senders: in each room that has some
  bool measuring;
  uint64_t delivered; // while measuring
  uint64_t skipped;   // numbers that were passed over, so far
  uint64_t disordered; // what came after a later one of the same sender, or twice
  uint64_t strayed;    // of another room, or of nobody
  // An open loop: message k of all was due at begun + k * gap; `turns` take turns. gap 0: closed.
  uint64_t begun;
  double gap;
  unsigned turns;
  struct histogram delays;
};

extern struct check check;

// Begin a phase: `members` and `senders` a room, `count` connections.
void check_begin(unsigned members, unsigned senders, unsigned count);
// The text of the next message of `c`, filled to `size` bytes.
const char *check_text(struct connection *c, unsigned size, uint64_t due);
// Take a message that `c` heard; whether it was its own.
bool check_heard(struct connection *c, const char *text, size_t length, uint64_t now);
// Messages that this member has not heard though they were said, and has not passed over.
uint64_t check_missing(const struct connection *c);
// Count what this member still waits for as delayed until now: it is late by that much at least.
void check_overdue(const struct connection *c, uint64_t now);
// Members who did not hear the same in the same order as the first of their room.
uint64_t check_disagreeing(unsigned count);

#endif
