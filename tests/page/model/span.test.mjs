// Which rows of a long log are in the page, and what space the others take.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Span } from "../../../src/hubbub/web/model/span.js";

const rows = Array.from({ length: 1000 }, (_, seq) => ({ kind: seq % 9 ? "chat" : "moved", seq }));
const sum = (span, some) => some.reduce((all, row) => all + span.height(row), 0);

function dice(seed) {
  let state = seed;
  return (most) => (state = (state * 1103515245 + 12345) % 2147483648) % most;
}

test("the space is that of the rows that are out, wherever one has been and whatever was measured", () => {
  for (let seed = 1; seed < 20; seed++) {
    const roll = dice(seed);
    const span = new Span();
    span.set(rows, 400, 500);
    for (let turn = 0; turn < 50; turn++) {
      const from = roll(rows.length);
      const to = from + roll(rows.length - from + 1);
      for (let at = span.from; at < span.to; at++) if (roll(3) === 0) span.measured(rows[at], 10 + roll(900) / 8);
      span.move(rows, from, to);
      assert.ok(Math.abs(span.above - sum(span, rows.slice(0, from))) < 0.01);
      assert.ok(Math.abs(span.below - sum(span, rows.slice(to))) < 0.01);
    }
    span.move(rows, 0, rows.length);
    assert.deepEqual([span.above, span.below], [0, 0]);
  }
});

test("it takes as many rows as fill the space, and no more than there are or may come", () => {
  const span = new Span();
  for (const row of rows) span.measured(row, 20);
  span.set(rows, 100, 900);
  assert.equal(span.needs(rows, -1, 110, 50), 6);
  assert.equal(span.needs(rows, 1, 110, 50), 6);
  assert.equal(span.needs(rows, 1, 110, 4), 4);
  assert.equal(span.needs(rows, 1, -5, 50), 0);
  assert.equal(span.needs(rows, -1, 1e6, 5000), 100);
  assert.equal(span.needs(rows, 1, 1e6, 5000), 100);
});

test("the row at a place is found by what all before it take", () => {
  const span = new Span();
  for (const row of rows) span.measured(row, 20);
  assert.deepEqual([0, 19, 20, 1000, 1e6, -5].map((at) => span.at(rows, at)), [0, 0, 1, 50, 999, 0]);
});
