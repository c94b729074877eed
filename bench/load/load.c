// A load client for chat servers: one thread, epoll, many members. It does what it is told, a line
// each on stdin, and answers each with a line of JSON.
//
//   load ADAPTER PORT TEXT-BYTES SERVER-PID[,PID...]
//
//   connect rooms=R members=M [together=N] [within=S] [settle=S] [spread=N]   everyone enters
//   closed senders=N window=N warm=S seconds=S [active=ROOMS]      say one when one's own comes back
//   open senders=N rate=R seconds=S [grace=S] [active=ROOMS]       say R a second, whatever comes back
//   settle [settle=S] [within=S]                                   wait until nothing comes
//   deaf member=N · listen member=N                                one stops reading; reads again
//   drop [abruptly=1] · return [within=S]                          all are gone; all come back at once
//
// In `open` a message carries when it was due, not when it was sent, so a server that makes its
// clients wait is not spared the delays of those that would have been sent meanwhile (coordinated
// omission). `active`: only the first so many rooms talk.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static const uint64_t STALLED = 5000000000, MOST_GRACE = 20000000000;

static const struct adapter *adapter;
static unsigned rooms, members, count, text_bytes, window, entered, opened, ended;
static bool refill;
static char servers[128];

// Measures

static double seconds_of(clockid_t clock) {
  struct timespec at;
  if (clock_gettime(clock, &at)) return 0;
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

// All threads, those that have ended too, to the nanosecond; 0 for a server that is gone.
static double processor_of_servers(void) {
  double seconds = 0;
  for (const char *at = servers; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    clockid_t clock;
    if (!clock_getcpuclockid(atoi(at), &clock)) seconds += seconds_of(clock);
  }
  return seconds;
}

struct moment {
  uint64_t at, bytes_in, bytes_out;
  double server, load;
};

static struct moment moment(void) {
  return (struct moment){now_ns(), counts.bytes_in, counts.bytes_out, processor_of_servers(),
                         seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}

static void print_moments(const struct moment *from, const struct moment *to) {
  printf("\"seconds\":%.6f,\"server_cpu\":%.4f,\"load_cpu\":%.4f,\"bytes_in\":%llu,"
         "\"bytes_out\":%llu,",
         (double)(to->at - from->at) / 1e9, to->server - from->server, to->load - from->load,
         (unsigned long long)(to->bytes_in - from->bytes_in),
         (unsigned long long)(to->bytes_out - from->bytes_out));
}

static void print_end(void) {
  printf("\"refused\":%llu,\"broken\":%llu,\"trouble\":\"%s\"}\n",
         (unsigned long long)counts.refused, (unsigned long long)counts.broken, counts.trouble);
  fflush(stdout);
  counts.refused = counts.broken = 0;
  counts.trouble[0] = 0;
}

static void print_delays(const struct histogram *h) {
  printf("\"delay_ms\":{\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"worst\":%.4f},",
         histogram_quantile(h, 0.5) / 1e6, histogram_quantile(h, 0.99) / 1e6,
         histogram_quantile(h, 0.999) / 1e6, (double)h->most / 1e6);
}

// What connections tell

static void say(struct connection *c, uint64_t due) {
  static char frame[1 << 17];
  if (c->state != INSIDE) return;
  wire_send(c, frame, adapter->say(c, check_text(c, text_bytes, due), frame));
}

static void enter(struct connection *c) {
  static char frame[1 << 17];
  if (adapter->speaks_first) return;
  wire_send(c, frame, adapter->join(c, frame));
}

static void is_inside(struct connection *c) {
  if (c->state == INSIDE) return;
  c->state = INSIDE;
  entered++;
}

void wire_opened(struct connection *c) {
  if (adapter->enters_alone)
    is_inside(c);
  else
    enter(c);
}

void wire_closed(struct connection *c) {
  (void)c;
  ended++;
}

static void hear(struct connection *c, char *text, size_t length, uint64_t now) {
  static char reply[1 << 17];
  size_t reply_length = 0;
  switch (adapter->hear(c, text, length, reply, &reply_length)) {
  case ENTERED:
    is_inside(c);
    break;
  case MESSAGE:
    if (check.phase && check_heard(c, text, length, now) && refill)
      while (c->said - c->next[c->place] < window) say(c, now);
    break;
  case ANSWER:
    wire_send(c, reply, reply_length);
    break;
  case REFUSAL:
    counts.refused++;
    trouble(text, length);
    break;
  case NOTHING:
    break;
  }
}

void wire_heard(struct connection *c, char *text, size_t length, uint64_t now) {
  while (adapter->lines && length) {
    char *end = memchr(text, '\n', length);
    if (!end) break;
    hear(c, text, (size_t)(end - text), now);
    length -= (size_t)(end - text) + 1;
    text = end + 1;
  }
  if (length) hear(c, text, length, now);
}

// Until nothing has come for `quiet` seconds, or `within` is over. Returns when the last byte came.
static uint64_t settle(double quiet, double within) {
  uint64_t begun = now_ns(), last = begun, seen = counts.bytes_in;
  while ((double)(now_ns() - last) < quiet * 1e9 && (double)(now_ns() - begun) < within * 1e9) {
    wire_poll(10000000);
    if (counts.bytes_in != seen) seen = counts.bytes_in, last = now_ns();
  }
  return last;
}

// Commands

static double option(const char *line, const char *name, double otherwise) {
  char key[32];
  snprintf(key, sizeof key, " %s=", name);
  const char *found = strstr(line, key);
  return found ? atof(found + strlen(key)) : otherwise;
}

static void all_enter(const char *line, unsigned together) {
  double within = option(line, "within", 60), quiet = option(line, "settle", 0.3);
  struct moment from = moment();
  uint64_t until = from.at + (uint64_t)(within * 1e9);
  opened = entered = ended = 0;
  while (entered + ended < count && now_ns() < until) {
    while (opened < count && opened - entered - ended < together) wire_open(&all[opened++]);
    wire_poll(10000000);
  }
  struct moment last = moment();
  // What is told after the last welcome is part of the work, the silence after it is not.
  uint64_t quieted = settle(quiet, within);
  struct moment to = moment();
  to.at = quieted > last.at ? quieted : last.at;
  printf("{\"entered\":%u,\"entered_in\":%.6f,", entered, (double)(last.at - from.at) / 1e9);
  print_moments(&from, &to);
  print_end();
}

static void command_connect(const char *line) {
  rooms = (unsigned)option(line, "rooms", 1);
  members = (unsigned)option(line, "members", 1);
  count = rooms * members;
  adapter_spread = (unsigned)option(line, "spread", 1);
  all = calloc(count, sizeof *all);
  for (unsigned i = 0; i < count; i++)
    all[i] = (struct connection){.fd = -1, .index = i, .room = i / members, .place = i % members};
  all_enter(line, (unsigned)option(line, "together", 32));
}

static uint64_t missing(void) {
  uint64_t found = 0;
  for (unsigned i = 0; i < count; i++)
    if (!all[i].deaf && all[i].state == INSIDE) found += check_missing(&all[i]);
  return found;
}

// The end of a phase: what is under way may still come for `grace` seconds, in a closed loop for as
// long as anything comes, since that is not much; what then is missing is counted.
// `behind`: by how much, in nanoseconds, the load was too late itself, at worst.
static void finish(const struct moment *from, double grace, uint64_t behind) {
  struct moment to = moment();
  uint64_t delivered = check.delivered, said = 0, lost_members = 0;
  refill = false;
  uint64_t until = now_ns() + (uint64_t)(grace * 1e9), most = now_ns() + MOST_GRACE;
  uint64_t late = missing(), seen = counts.bytes_in;
  for (unsigned round = 0; late && now_ns() < until && now_ns() < most; round++) {
    wire_poll(1000000);
    if (round % 16 == 15) late = missing();
    if (check.gap == 0 && counts.bytes_in != seen) until = now_ns() + (uint64_t)(grace * 1e9);
    seen = counts.bytes_in;
  }
  late = missing();
  check.measuring = false;
  for (unsigned i = 0; i < count; i++) {
    said += all[i].said;
    lost_members += all[i].state != INSIDE;
    if (check.gap > 0 && all[i].state == INSIDE && !all[i].deaf) check_overdue(&all[i], now_ns());
  }
  uint64_t lost = check.skipped + late;
  printf("{\"said\":%llu,\"delivered\":%llu,\"dropped\":%llu,\"disordered\":%llu,"
         "\"strayed\":%llu,\"disagreeing\":%llu,\"lost_members\":%llu,",
         (unsigned long long)said, (unsigned long long)delivered,
         (unsigned long long)(lost > check.disordered ? lost - check.disordered : 0),
         (unsigned long long)check.disordered, (unsigned long long)check.strayed,
         (unsigned long long)check_disagreeing(count), (unsigned long long)lost_members);
  print_delays(&check.delays);
  printf("\"behind_ms\":%.3f,", (double)behind / 1e6);
  print_moments(from, &to);
  print_end();
}

static void command_closed(const char *line) {
  unsigned senders = (unsigned)option(line, "senders", 1);
  unsigned active = (unsigned)option(line, "active", rooms);
  uint64_t warm = (uint64_t)(option(line, "warm", 0.3) * 1e9);
  uint64_t length = (uint64_t)(option(line, "seconds", 1) * 1e9);
  window = (unsigned)option(line, "window", 1);
  check_begin(members, senders, count);
  refill = true;
  uint64_t begun = now_ns(), last = begun, seen = counts.bytes_in, first = seen;
  struct moment from = {0};
  for (unsigned round = 0; round < window; round++)
    for (unsigned i = 0; i < active * members; i++)
      if (all[i].place < senders) say(&all[i], now_ns());
  for (uint64_t now = begun; !check.measuring || now < from.at + length; now = now_ns()) {
    // A slow server is warm when it has delivered something.
    bool warmed = now >= begun + warm && (seen != first || now > begun + MOST_GRACE);
    if (!check.measuring && warmed) {
      from = moment();
      check.measuring = true;
    }
    wire_poll(10000000);
    if (counts.bytes_in != seen) {
      seen = counts.bytes_in, last = now;
    } else if (now - last > STALLED) { // one's own message was dropped: say another
      for (unsigned i = 0; i < active * members; i++)
        if (all[i].place < senders) say(&all[i], now);
      last = now;
    }
  }
  finish(&from, option(line, "grace", 3), 0);
}

static void command_open(const char *line) {
  unsigned senders = (unsigned)option(line, "senders", 1);
  unsigned active = (unsigned)option(line, "active", rooms);
  double gap = 1e9 / option(line, "rate", 100);
  uint64_t length = (uint64_t)(option(line, "seconds", 1) * 1e9), most_behind = 0, said = 0;
  check_begin(members, senders, count);
  check.measuring = true;
  struct moment from = moment();
  uint64_t end = from.at + length;
  check.begun = from.at;
  check.gap = gap;
  check.turns = active * senders;
  for (;;) {
    uint64_t now = now_ns(), due = from.at + (uint64_t)((double)said * gap);
    if (due >= end) break;
    for (unsigned burst = 0; due <= now && due < end && burst < 64; burst++) {
      uint64_t turn = said++ % check.turns;
      if (now - due > most_behind) most_behind = now - due;
      say(&all[turn / senders * members + turn % senders], due);
      due = from.at + (uint64_t)((double)said * gap);
    }
    now = now_ns();
    wire_poll(due > now ? (int64_t)(due - now) : 0);
    // A server that cannot follow is not asked for longer than a second beyond the phase.
    if (now > end + 1000000000) break;
  }
  finish(&from, option(line, "grace", 1), most_behind);
}

static void command_settle(const char *line) {
  uint64_t begun = now_ns();
  uint64_t last = settle(option(line, "settle", 0.1), option(line, "within", 10));
  printf("{\"settled_in\":%.3f,", (double)(last - begun) / 1e9);
  print_end();
}

static void command_deaf(const char *line) {
  wire_listen(&all[(unsigned)option(line, "member", 0)], false);
  printf("{");
  print_end();
}

static void command_listen(const char *line) {
  struct connection *c = &all[(unsigned)option(line, "member", 0)];
  uint64_t before = c->heard;
  struct moment from = moment();
  wire_listen(c, true);
  settle(option(line, "settle", 1), option(line, "within", 30));
  struct moment to = moment();
  printf("{\"heard\":%llu,\"heard_late\":%llu,\"missing\":%llu,\"gaps\":%llu,\"inside\":%s,"
         "\"close_code\":%u,",
         (unsigned long long)c->heard, (unsigned long long)(c->heard - before),
         (unsigned long long)(check_missing(c) + check.skipped), (unsigned long long)c->gaps,
         c->state == INSIDE ? "true" : "false", c->close_code);
  print_moments(&from, &to);
  print_end();
}

static void command_drop(const char *line) {
  bool abruptly = option(line, "abruptly", 1) != 0;
  for (unsigned i = 0; i < count; i++) wire_close(&all[i], abruptly);
  printf("{");
  print_end();
}

static const struct {
  const char *name;
  void (*run)(const char *line);
} commands[] = {
    {"connect", command_connect}, {"closed", command_closed}, {"open", command_open},
    {"settle", command_settle},   {"deaf", command_deaf},     {"listen", command_listen},
    {"drop", command_drop},
};

static bool obey(const char *line) {
  size_t length = strcspn(line, " \n");
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (length == strlen(commands[i].name) && !strncmp(line, commands[i].name, length)) {
      commands[i].run(line);
      return true;
    }
  if (length == 6 && !strncmp(line, "return", 6)) {
    all_enter(line, count);
    return true;
  }
  fprintf(stderr, "load: there is no such command: %s", line);
  return false;
}

int main(int argument_count, char **arguments) {
  if (argument_count != 5 || !(adapter = adapter_named(arguments[1]))) {
    fprintf(stderr, "usage: load ADAPTER PORT TEXT-BYTES SERVER-PID[,PID...]\n");
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  text_bytes = (unsigned)atoi(arguments[3]);
  snprintf(servers, sizeof servers, "%s", arguments[4]);
  wire_begin((uint16_t)atoi(arguments[2]), adapter->path);
  char line[512];
  size_t length = 0;
  for (;;) { // between commands, too, pings are answered
    if (!wire_poll(-1)) continue;
    ssize_t got = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
    if (got <= 0) return 0;
    length += (size_t)got;
    line[length] = 0;
    if (!memchr(line, '\n', length)) continue;
    length = 0;
    if (!obey(line)) return 1;
  }
}
