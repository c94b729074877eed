#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARK = '~', LONGEST = 1 << 16 };

struct check check;
static uint32_t *numbers; // for each connection, for each sender of its room

void check_begin(unsigned members, unsigned senders, unsigned count) {
  unsigned phase = check.phase + 1;
  check = (struct check){.phase = phase, .members = members, .senders = senders};
  free(numbers);
  numbers = calloc((size_t)count * senders, sizeof *numbers);
  for (unsigned i = 0; i < count; i++) {
    all[i].said = 0;
    all[i].heard = all[i].order = all[i].gaps = 0;
    all[i].next = numbers + (size_t)i * senders;
  }
}

const char *check_text(struct connection *c, unsigned size, uint64_t due) {
  static char text[LONGEST];
  int length = snprintf(text, sizeof text, "%c%u.%u.%u.%llu%c", MARK, check.phase, c->index,
                        c->said++, (unsigned long long)due, MARK);
  if (size >= sizeof text) size = sizeof text - 1;
  if ((unsigned)length < size) memset(text + length, 'x', size - (unsigned)length);
  text[(unsigned)length < size ? size : (unsigned)length] = 0;
  return text;
}

static uint64_t number(const char **at, const char *end) {
  uint64_t value = 0;
  while (*at < end && **at >= '0' && **at <= '9') value = value * 10 + (uint64_t)(*(*at)++ - '0');
  ++*at; // over what stands between
  return value;
}

bool check_heard(struct connection *c, const char *text, size_t length, uint64_t now) {
  const char *end = text + length, *at = memchr(text, MARK, length);
  if (!at) {
    check.strayed++;
    return false;
  }
  at++;
  unsigned phase = (unsigned)number(&at, end), index = (unsigned)number(&at, end);
  uint32_t told = (uint32_t)number(&at, end);
  uint64_t due = number(&at, end);
  if (phase != check.phase) return false; // history, or the tail of an earlier phase
  if (at > end || index / check.members != c->room || index % check.members >= check.senders) {
    check.strayed++;
    return false;
  }
  uint32_t *next = &c->next[index % check.members];
  if (told < *next) {
    check.disordered++;
  } else {
    check.skipped += told - *next;
    *next = told + 1;
  }
  c->heard++;
  c->order = (c->order ^ ((uint64_t)index << 32 | told)) * 0x9e3779b97f4a7c15u;
  c->order ^= c->order >> 29;
  if (check.measuring) {
    check.delivered++;
    histogram_add(&check.delays, now > due ? now - due : 0);
  }
  return index == c->index;
}

uint64_t check_missing(const struct connection *c) {
  uint64_t missing = 0;
  for (unsigned i = 0; i < check.senders; i++)
    missing += all[c->room * check.members + i].said - c->next[i];
  return missing;
}

void check_overdue(const struct connection *c, uint64_t now) {
  for (unsigned i = 0; i < check.senders; i++) {
    uint32_t said = all[c->room * check.members + i].said;
    for (uint64_t told = c->next[i]; told < said; told++) {
      uint64_t turn = told * check.turns + c->room * check.senders + i;
      histogram_add(&check.delays, now - check.begun - (uint64_t)((double)turn * check.gap));
    }
  }
}

uint64_t check_disagreeing(unsigned count) {
  uint64_t found = 0;
  for (unsigned i = 0; i < count; i++) {
    const struct connection *first = &all[all[i].room * check.members];
    found += !all[i].deaf && all[i].state == INSIDE && first->state == INSIDE &&
             all[i].order != first->order;
  }
  return found;
}
