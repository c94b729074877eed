// Counts of durations in nanoseconds, after HdrHistogram: each doubling is cut into 64 parts, so a
// value is known to 1.6 % from a nanosecond to hours.

#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <string.h>

enum { PARTS = 64, PARTS_BITS = 6, BUCKETS = 48 * PARTS };

struct histogram {
  uint64_t counts[BUCKETS], total, most;
};

static inline void histogram_clear(struct histogram *h) { memset(h, 0, sizeof *h); }

static inline void histogram_add(struct histogram *h, uint64_t value) {
  unsigned doubling = value < 2 * PARTS ? 0 : 63 - (unsigned)__builtin_clzll(value) - PARTS_BITS;
  unsigned bucket = doubling * PARTS + (unsigned)(value >> doubling);
  h->counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  h->total++;
  if (value > h->most) h->most = value;
}

// The value that `part` (0 to 1) of all do not pass: the upper edge of its bucket, in nanoseconds.
static inline double histogram_quantile(const struct histogram *h, double part) {
  uint64_t wanted = (uint64_t)(part * (double)h->total), seen = 0;
  for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
    seen += h->counts[bucket];
    if (h->counts[bucket] && seen > wanted) {
      unsigned doubling = bucket < 2 * PARTS ? 0 : bucket / PARTS - 1;
      uint64_t edge = ((uint64_t)(bucket - doubling * PARTS) + 1) << doubling;
      return (double)(edge < h->most ? edge : h->most);
    }
  }
  return (double)h->most;
}

#endif
