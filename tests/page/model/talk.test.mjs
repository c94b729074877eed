import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox, frameOf } from "../../../src/hubbub/web/model/outbox.js";
import { Writers, WRITES, react } from "../../../src/hubbub/web/model/talk.js";

test("the newest word on an emoji holds, in any order", () => {
  const first = { emoji: "👍", seq: 5, count: 1, users: ["Ann"] };
  const second = { emoji: "👍", seq: 7, count: 2, users: ["Ann", "Bob"] };
  const after = react(react({}, first), second);
  assert.deepEqual(after, { "👍": { count: 2, users: ["Ann", "Bob"], seq: 7 } });
  assert.equal(react(after, first), null);
  assert.equal(react(after, second), null);
  assert.deepEqual(Object.keys(react(after, { ...first, emoji: "🎉" })), ["👍", "🎉"]);
});

test("who writes is so until they have said it, left, or been still for long", () => {
  const writers = new Writers();
  const sign = (username, type = "typing") => ({ type, username });
  assert.equal(writers.hear(sign("Ann"), 0), true);
  assert.equal(writers.hear(sign("Ann"), 3000), false);
  assert.equal(writers.hear(sign("Bob"), 3000), true);
  assert.deepEqual(writers.at(WRITES), ["Ann", "Bob"]);
  assert.equal(writers.hear(sign("Ann", "chat"), 4000), true);
  assert.equal(writers.hear(sign("Cy", "chat"), 4000), false);
  assert.deepEqual(writers.at(4000), ["Bob"]);
  assert.deepEqual(writers.at(3000 + WRITES), []);
});

test("an answer says what it answers, and is sent alone once that is gone", () => {
  const outbox = new Outbox();
  const reply = { seq: 3, username: "Ann", text: "one" };
  outbox.add({ id: "a", kind: "chat", text: "two", reply, epoch: "e", safe: true });
  const letter = outbox.next(0);
  assert.deepEqual(frameOf(letter, "r"), { type: "chat", room: "r", text: "two", reply_to: 3, id: "a" });
  outbox.refused({ id: "a", code: "not_found", message: "no" }, 0);
  outbox.again("a");
  assert.deepEqual(frameOf(outbox.next(0), "r"), { type: "chat", room: "r", text: "two", id: "a" });
});

test("any other refusal leaves the answer one", () => {
  const outbox = new Outbox();
  outbox.add({ id: "a", kind: "chat", text: "two", reply: { seq: 3, username: "Ann", text: "" }, safe: true });
  outbox.next(0);
  outbox.refused({ id: "a", code: "muted", message: "no" }, 0);
  assert.equal(frameOf(outbox.again("a"), "r").reply_to, 3);
});
