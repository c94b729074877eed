// The picture of a room: whatever the way in which its frames come, it is the same.
import assert from "node:assert/strict";
import { test } from "node:test";

import { outcome } from "../../../src/hubbub/web/model/moves.js";
import { Room } from "../../../src/hubbub/web/model/room.js";

const DAY = 86_400_000;
const NAMES = ["Ann", "Bob", "Cy"];
const EMOJI = ["👍", "❤️", "🎉"];

/** Numbers that are the same for the same seed (mulberry32). */
function dice(seed) {
  return (most) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * most);
  };
}

/** A log as a server would have it: its events, and its chats as they are after all of them. */
function history(roll, length) {
  const events = [];
  const now = new Map();
  let ts = 1_780_000_000_000;
  for (let seq = 1; seq <= length; seq++) {
    ts += roll(10) === 0 ? DAY / 2 : roll(60_000);
    const username = NAMES[roll(3)];
    const known = [...now.values()];
    const kept = known.filter((chat) => !chat.deleted);
    const old = kept[roll(kept.length)];
    const what = old ? roll(8) : 0;
    const event = { room: "r", seq, ts, username };
    if (what === 4) {
      Object.assign(event, { type: "edited", target: old.seq, text: `anew ${seq}`, username: old.username });
      Object.assign(old, { text: event.text, edited: ts });
      delete old.mentions;
    } else if (what === 5) {
      Object.assign(event, { type: "deleted", target: old.seq });
      Object.assign(old, { text: "", deleted: true });
      for (const gone of ["edited", "reactions", "mentions"]) delete old[gone];
      for (const chat of known) {
        if (chat.reply?.seq === old.seq) chat.reply = { ...chat.reply, text: "", deleted: true };
      }
    } else if (what >= 6) {
      const emoji = EMOJI[roll(3)];
      const users = [...(old.reactions?.[emoji]?.users ?? [])];
      const on = !users.includes(username);
      if (on) users.push(username);
      else users.splice(users.indexOf(username), 1);
      old.reactions = { ...old.reactions, [emoji]: { count: users.length, users } };
      Object.assign(event, { type: "reacted", target: old.seq, emoji, on, count: users.length, users });
    } else {
      Object.assign(event, { type: "chat", text: `text ${seq}` });
      if (old && what === 1) event.reply = { seq: old.seq, username: old.username, text: old.text };
      if (what === 2) event.mentions = ["Ann"];
      now.set(seq, structuredClone(event));
    }
    events.push(event);
  }
  return { events, now: [...now.values()] };
}

const welcome = (more) => ({ type: "welcome", room: "r", username: "Me", users: ["Me"], count: 1, epoch: "e", ...more });

/** What is shown, without what only the way there differs in. */
function picture(room) {
  return room.rows
    .filter((row) => row.kind === "chat")
    .map(({ seq, text, deleted, edited, reply, head, mentions, reactions }) => ({
      seq, text, deleted, edited, reply, head, mentions,
      reactions: Object.entries(reactions).filter(([, { count }]) => count).map(([emoji, { count, users }]) => [emoji, count, users]).sort(),
    }));
}

/** Who was there all the time. */
function live(events) {
  const room = new Room("r", "Me");
  room.welcome(welcome({ seq: 0, history: [] }));
  for (const event of events) room.hear(structuredClone(event));
  return room;
}

/** Who comes afterwards, and looks back in pages. */
function later(now, seq, roll) {
  const room = new Room("r", "Me");
  let at = Math.max(0, now.length - 1 - roll(10));
  room.welcome(welcome({ seq, history: structuredClone(now.slice(at)) }));
  while (at > 0) {
    const from = Math.max(0, at - 1 - roll(12));
    room.older({ events: structuredClone(now.slice(from, at)), more: from > 0 });
    at = from;
  }
  return room;
}

for (let seed = 1; seed <= 60; seed++) {
  test(`live, later and after a pause: the same picture (seed ${seed})`, () => {
    const roll = dice(seed);
    const { events, now } = history(roll, 30 + roll(90));
    const all = live(events);
    const whole = picture(all);
    assert.ok(whole.length > 0);
    assert.deepEqual(picture(later(now, events.length, roll)), whole);
    // Who was away: kept their place, and hears the rest as it is now, as the server replays it.
    const cut = roll(events.length);
    const away = live(events.slice(0, cut));
    const place = structuredClone(away.position(1000));
    const back = new Room("r", "Me");
    back.restore(place);
    back.welcome(welcome({ seq: cut }));
    const byNow = new Map(now.map((chat) => [chat.seq, chat]));
    for (const event of events.slice(cut)) back.hear(structuredClone(event.type === "chat" ? byNow.get(event.seq) : event));
    assert.deepEqual(picture(back), whole);
  });

  test(`what comes twice or late changes nothing (seed ${seed})`, () => {
    const roll = dice(seed + 1000);
    const { events } = history(roll, 60);
    const room = live(events);
    const whole = picture(room);
    for (let turn = 0; turn < 40; turn++) room.hear(structuredClone(events[roll(events.length)]));
    assert.deepEqual(picture(room), whole);
  });
}

test("deleted words are nowhere", () => {
  const room = live([
    { type: "chat", seq: 1, username: "Ann", text: "secret", ts: 1 },
    { type: "chat", seq: 2, username: "Bob", text: "what?", ts: 2, reply: { seq: 1, username: "Ann", text: "secret" } },
    { type: "reacted", seq: 3, target: 1, username: "Bob", emoji: "👍", on: true, count: 1, users: ["Bob"], ts: 3 },
  ]);
  const { changed } = room.hear({ type: "deleted", seq: 4, target: 1, username: "Ann", ts: 4 });
  assert.deepEqual(changed.map((row) => row.seq), [1, 2]);
  assert.ok(!JSON.stringify(room.position(100)).includes("secret"));
  assert.deepEqual(room.chat(1).reactions, {});
});

test("an answer names its author, whoever spoke before", () => {
  const room = live([
    { type: "chat", seq: 1, username: "Ann", text: "one", ts: 1 },
    { type: "chat", seq: 2, username: "Ann", text: "two", ts: 2 },
    { type: "chat", seq: 3, username: "Ann", text: "three", ts: 3, reply: { seq: 1, username: "Ann", text: "one" } },
  ]);
  assert.deepEqual(room.rows.filter((row) => row.kind === "chat").map((row) => row.head), [true, false, true]);
});

test("reactions that one asked for in vain are those of the answer", () => {
  const room = live([{ type: "chat", seq: 1, username: "Ann", text: "one", ts: 1 }]);
  const reactions = { "👍": { count: 2, users: ["Ann", "Bob"] } };
  assert.equal(room.hear({ type: "reactions", room: "r", target: 1, reactions }).changed.length, 1);
  assert.deepEqual(room.chat(1).reactions, reactions);
});

test("a topic and pins are those of the last word on them", () => {
  const room = new Room("r", "Me");
  room.welcome(welcome({ seq: 1, topic: "t", description: "d", pins: [1], history: [{ seq: 1, username: "Ann", text: "x", ts: 1, type: "chat" }] }));
  const act = (seq, more) => room.hear({ type: "moderated", room: "r", seq, by: "Ann", ts: seq, ...more });
  assert.equal(act(2, { action: "pin", target: 1, on: false }).changed[0].seq, 1);
  assert.deepEqual(room.about.pins, []);
  act(3, { action: "pin", target: 9, on: true });
  act(4, { action: "pin", target: 4, on: true });
  act(5, { action: "pin", target: 4, on: true });
  assert.deepEqual(room.about.pins, [4, 9]);
  act(6, { action: "topic", topic: "new", description: "" });
  assert.deepEqual([room.about.topic, room.about.description], ["new", ""]);
});

/** What one is told of who came and went. */
const moves = (room) =>
  room.rows.filter((row) => row.kind === "moved").map((row) => {
    const { came, left, looked } = outcome(row);
    const names = (people) => people.map((one) => one.name ?? one.username).join();
    return [names(came), names(looked), names(left)];
  });

test("who comes and goes while nobody speaks is one row, and who is back is not told of", () => {
  const room = live([]);
  room.hear({ type: "joined", username: "Ann" });
  const [row] = room.rows;
  assert.deepEqual(room.hear({ type: "joined", username: "bob", name: "Bob" }), { gone: [], top: [], end: [], changed: [row] });
  room.hear({ type: "left", username: "Cy" });
  assert.deepEqual(moves(room), [["Ann,Bob", "", "Cy"]]);
  room.hear({ type: "left", username: "bob" });
  room.hear({ type: "joined", username: "Cy" });
  assert.deepEqual(moves(room), [["Ann", "Bob", ""]]);
  room.hear({ type: "chat", seq: 1, username: "Ann", text: "well", ts: 1 });
  room.hear({ type: "left", username: "Ann" });
  assert.deepEqual(moves(room), [["Ann", "Bob", ""], ["", "", "Ann"]]);
  const last = room.rows.at(-1);
  assert.deepEqual(room.hear({ type: "joined", username: "Ann" }).gone, [last]);
  assert.deepEqual(room.rows.map((row) => row.kind), ["moved", "day", "chat"]);
  assert.deepEqual(room.hear({ type: "joined", username: "Me" }), { gone: [], top: [], end: [], changed: [] });
});

test("a stretch of comings and goings, in whatever order, comes to who was there and who is", () => {
  const roll = dice(7);
  for (let turn = 0; turn < 200; turn++) {
    const room = live([]);
    const was = new Set(NAMES.filter(() => roll(2)));
    const is = new Set(was);
    const seen = new Set();
    for (let step = roll(12); step > 0; step--) {
      const username = NAMES[roll(3)];
      seen.add(username);
      room.hear({ type: is.has(username) ? "left" : "joined", username });
      if (!is.delete(username)) is.add(username);
      // A row that came to nothing is gone, and with it what was before.
      if (room.rows.length === 0) seen.clear();
    }
    const told = moves(room)[0] ?? ["", "", ""];
    const names = told.map((names) => new Set(names.split(",").filter(Boolean)));
    const [came, looked, left] = names;
    assert.deepEqual(came, new Set(NAMES.filter((one) => !was.has(one) && is.has(one))));
    assert.deepEqual(left, new Set(NAMES.filter((one) => was.has(one) && !is.has(one))));
    assert.deepEqual(looked, new Set(NAMES.filter((one) => seen.has(one) && !was.has(one) && !is.has(one))));
  }
});
