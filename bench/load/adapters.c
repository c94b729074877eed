#define _GNU_SOURCE
#include "adapters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 17 };

unsigned adapter_spread = 1;

static bool begins(const char *text, size_t length, const char *with) {
  size_t size = strlen(with);
  return length >= size && !memcmp(text, with, size);
}

// Whether `word` is within the first `reach` bytes: JSON's writers differ in their spaces.
static bool early(const char *text, size_t length, size_t reach, const char *word) {
  return memmem(text, length < reach ? length : reach, word, strlen(word)) != NULL;
}

// Copy the string that follows `"key":"`.
static void copy_string(const char *text, size_t length, const char *key, char *to, size_t size) {
  const char *from = memmem(text, length, key, strlen(key));
  if (!from) return;
  from += strlen(key);
  size_t n = 0;
  while (n + 1 < size && from + n < text + length && from[n] != '"') to[n] = from[n], n++;
  to[n] = 0;
}

#define WRITE(...) (size_t) snprintf(to, MOST, __VA_ARGS__)

// Chat frames of JSON tagged by `type`: what Hubbub speaks, and the peers that are a page of code.

static size_t plain_join(const struct connection *c, char *to) {
  return WRITE("{\"type\":\"join\",\"room\":\"r%u\",\"username\":\"u%u\"}", c->room, c->index);
}

static size_t plain_say(const struct connection *c, const char *text, char *to) {
  (void)c;
  return WRITE("{\"type\":\"chat\",\"text\":\"%s\"}", text);
}

static enum meaning plain_hear(struct connection *c, const char *text, size_t length, char *reply,
                               size_t *reply_length) {
  (void)c, (void)reply, (void)reply_length;
  if (early(text, length, 20, "\"chat\"")) return MESSAGE;
  if (early(text, length, 24, "\"welcome\"")) return ENTERED;
  if (early(text, length, 20, "\"error\"")) return REFUSAL;
  const char *missed = early(text, length, 20, "\"gap\"") ? memmem(text, length, "missed\":", 8) : 0;
  if (missed) c->gaps += strtoull(missed + 8, NULL, 10);
  return NOTHING;
}

static size_t hubbub_join(const struct connection *c, char *to) {
  if (c->step)
    return WRITE("{\"type\":\"join\",\"keep\":true,\"room\":\"r%u-%u\",\"username\":\"u%u\"}",
                 c->room, c->step, c->index);
  if (!c->session[0]) return plain_join(c, to);
  return WRITE("{\"type\":\"join\",\"room\":\"r%u\",\"username\":\"u%u\",\"since\":%llu,"
               "\"epoch\":\"%s\",\"session\":\"%s\"}",
               c->room, c->index, (unsigned long long)c->seq, c->epoch, c->session);
}

static size_t hubbub_say(const struct connection *c, const char *text, char *to) {
  if (adapter_spread == 1) return plain_say(c, text, to);
  return WRITE("{\"type\":\"chat\",\"room\":\"r%u\",\"text\":\"%s\"}", c->room, text);
}

static enum meaning hubbub_hear(struct connection *c, const char *text, size_t length, char *reply,
                                size_t *reply_length) {
  if (begins(text, length, "{\"type\":\"chat\"")) return MESSAGE;
  if (begins(text, length, "{\"type\":\"welcome\"")) {
    // History stands last, and has `seq`s of its own.
    const char *seq = memmem(text, length, "\"seq\":", 6);
    if (seq) c->seq = strtoull(seq + 6, NULL, 10);
    copy_string(text, length, "\"session\":\"", c->session, sizeof c->session);
    copy_string(text, length, "\"epoch\":\"", c->epoch, sizeof c->epoch);
    if (++c->step >= adapter_spread) return ENTERED;
    *reply_length = hubbub_join(c, reply);
    return ANSWER;
  }
  if (begins(text, length, "{\"type\":\"gap\"")) {
    const char *first = memmem(text, length, "\"first\":", 8);
    const char *last = memmem(text, length, "\"last\":", 7);
    if (first && last) c->gaps += strtoull(last + 7, NULL, 10) - strtoull(first + 8, NULL, 10) + 1;
    return NOTHING;
  }
  return begins(text, length, "{\"type\":\"error\"") ? REFUSAL : NOTHING;
}

// The limit gives back what it was sent, so what it is sent is what Hubbub would make of it.

static size_t limit_say(const struct connection *c, const char *text, char *to) {
  return WRITE("{\"type\":\"chat\",\"room\":\"r%u\",\"username\":\"u%u\",\"text\":\"%s\","
               "\"ts\":1780384175817,\"seq\":%u}",
               c->room, c->index, text, c->said + 10000);
}

static enum meaning limit_hear(struct connection *c, const char *text, size_t length, char *reply,
                               size_t *reply_length) {
  (void)c, (void)text, (void)length, (void)reply, (void)reply_length;
  return MESSAGE;
}

// Centrifugo's JSON protocol: commands with an id, pushes without, {} is a ping and its answer.

static size_t centrifugo_join(const struct connection *c, char *to) {
  if (c->step == 0) return WRITE("{\"id\":1,\"connect\":{\"name\":\"u%u\"}}", c->index);
  return WRITE("{\"id\":2,\"subscribe\":{\"channel\":\"chat:r%u\"}}", c->room);
}

static size_t centrifugo_say(const struct connection *c, const char *text, char *to) {
  return WRITE("{\"id\":%u,\"publish\":{\"channel\":\"chat:r%u\",\"data\":"
               "{\"username\":\"u%u\",\"text\":\"%s\"}}}",
               c->said + 3, c->room, c->index, text);
}

static enum meaning centrifugo_hear(struct connection *c, const char *text, size_t length,
                                    char *reply, size_t *reply_length) {
  if (begins(text, length, "{\"push\":")) return early(text, length, 60, "\"pub\"") ? MESSAGE : NOTHING;
  if (early(text, length, 24, "\"error\"")) return REFUSAL;
  if (length == 2) {
    memcpy(reply, "{}", *reply_length = 2);
    return ANSWER;
  }
  if (c->step == 0 && begins(text, length, "{\"id\":1,")) {
    c->step = 1;
    *reply_length = centrifugo_join(c, reply);
    return ANSWER;
  }
  return c->step == 1 && begins(text, length, "{\"id\":2,") ? c->step = 2, ENTERED : NOTHING;
}

// Socket.IO 5 over Engine.IO 4: a digit for each layer's kind of packet, then JSON.

static size_t socketio_say(const struct connection *c, const char *text, char *to) {
  (void)c;
  return WRITE("42[\"chat\",{\"text\":\"%s\"}]", text);
}

static enum meaning socketio_hear(struct connection *c, const char *text, size_t length,
                                  char *reply, size_t *reply_length) {
  if (begins(text, length, "42[\"chat\"")) return MESSAGE;
  if (begins(text, length, "42[\"welcome\"")) return ENTERED;
  if (begins(text, length, "44")) return REFUSAL;
  if (begins(text, length, "2")) {
    memcpy(reply, "3", *reply_length = 1);
    return ANSWER;
  }
  if (begins(text, length, "0{")) {
    memcpy(reply, "40", *reply_length = 2);
    return ANSWER;
  }
  if (begins(text, length, "40")) {
    *reply_length = (size_t)snprintf(
        reply, MOST, "42[\"join\",{\"room\":\"r%u\",\"username\":\"u%u\"}]", c->room, c->index);
    return ANSWER;
  }
  return NOTHING;
}

static const struct adapter adapters[] = {
    {"hubbub", "/ws", false, false, false, hubbub_join, hubbub_say, hubbub_hear},
    {"plain", "/ws", false, false, false, plain_join, plain_say, plain_hear},
    {"limit", "/room/%u", false, false, true, NULL, limit_say, limit_hear},
    {"centrifugo", "/connection/websocket", true, false, false, centrifugo_join, centrifugo_say,
     centrifugo_hear},
    {"socketio", "/socket.io/?EIO=4&transport=websocket", false, true, false, NULL, socketio_say,
     socketio_hear},
};

const struct adapter *adapter_named(const char *name) {
  for (size_t i = 0; i < sizeof adapters / sizeof *adapters; i++)
    if (!strcmp(adapters[i].name, name)) return &adapters[i];
  return NULL;
}
