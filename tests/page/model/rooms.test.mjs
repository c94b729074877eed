// What is new in which room.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Rooms } from "../../../src/hubbub/web/model/rooms.js";

const nobody = () => false;
const me = (names) => names.includes("Me");
const told = (room, seq, more = {}) => ({ rooms: [{ room, seq, ...more }] });

/** In the garden now, in the attic before. */
function two() {
  const rooms = new Rooms();
  rooms.enter("attic", 1);
  rooms.read("attic", 10);
  rooms.enter("garden", 2);
  return rooms;
}

test("news count, until one has been there", () => {
  const rooms = two();
  assert.equal(rooms.hear(told("attic", 12, { count: 2, mentions: ["Me"] }), me).length, 1);
  assert.deepEqual([rooms.get("attic").unread, rooms.get("attic").mentions, rooms.mentions], [2, 1, 1]);
  rooms.enter("attic", 3);
  rooms.read("attic", 12);
  assert.deepEqual([rooms.get("attic").unread, rooms.mentions, rooms.isNew], [0, 0, false]);
});

test("how a room stands is news only where it stands further than one has seen", () => {
  const rooms = two();
  rooms.hear(told("attic", 10), nobody);
  assert.equal(rooms.isNew, false);
  rooms.hear(told("attic", 15), nobody);
  rooms.hear(told("attic", 15), nobody);
  assert.equal(rooms.get("attic").unread, 1, "at least one, and once");
  rooms.hear(told("attic", 16, { count: 1 }), nobody);
  assert.equal(rooms.get("attic").unread, 2);
});

test("a log that began anew is seen from its beginning", () => {
  const rooms = two();
  rooms.hear(told("attic", 2), nobody);
  assert.equal(rooms.get("attic").unread, 1);
});

test("the room that one is in, and rooms that one does not know, are no news", () => {
  const rooms = two();
  rooms.hear(told("garden", 5, { count: 5 }), nobody);
  rooms.hear(told("cellar", 5, { count: 5 }), nobody);
  assert.equal(rooms.isNew, false);
});

test("what one misses in the room that one is in, one misses until one looks", () => {
  const rooms = two();
  rooms.miss(false);
  rooms.miss(true);
  assert.deepEqual([rooms.get("garden").unread, rooms.mentions], [2, 1]);
  assert.equal(rooms.read("garden", 7), true);
  assert.deepEqual([rooms.get("garden").unread, rooms.get("garden").seen, rooms.mentions], [0, 7, 0]);
  assert.equal(rooms.read("garden", 7), false, "nothing is other than it was");
});

test("what is kept is what is known the next time", () => {
  const rooms = two();
  rooms.hear(told("attic", 12, { count: 2, mentions: ["Me"] }), me);
  const again = new Rooms(JSON.parse(JSON.stringify(rooms.kept)));
  assert.deepEqual(again.kept, rooms.kept);
  assert.equal(again.mentions, 1);
});

test("a hundred rooms are kept, the last visited ones", () => {
  const rooms = new Rooms();
  for (let n = 0; n < 150; n++) rooms.enter(`room ${n}`, n);
  assert.equal(rooms.kept.length, 100);
  assert.ok(rooms.kept.every(({ visited }) => visited >= 50));
});

test("the list of rooms tells of others, and how many are where", () => {
  const rooms = two();
  rooms.list({ rooms: [{ room: "attic", count: 3, topic: "dust" }, { room: "cellar", count: 1 }] });
  assert.deepEqual([rooms.get("attic").count, rooms.get("attic").topic], [3, "dust"]);
  assert.deepEqual(rooms.others.map(({ name }) => name), ["cellar"]);
  rooms.enter("cellar", 5);
  assert.deepEqual(rooms.others, []);
});

test("rooms are found by what they begin with, then by what they have, the new ones first", () => {
  const rooms = new Rooms();
  ["Ångström", "ant", "plant", "bee"].forEach((name, n) => rooms.enter(name, n));
  rooms.list({ rooms: [{ room: "anthill", count: 2 }] });
  rooms.hear(told("plant", 3), nobody);
  const names = (sought) => rooms.find(sought).map(({ name }) => name);
  assert.deepEqual(names("an"), ["ant", "anthill", "plant"]);
  assert.deepEqual(names(" AN "), ["ant", "anthill", "plant"]);
  assert.equal(names("")[0], "plant");
  assert.equal(names("").length, 5);
});

const stands = (room, more = {}) => ({ rooms: [{ room, count: 1, seq: 20, ...more }] });

test("a user's rooms are new as the server counts them, wherever one read them", () => {
  const rooms = two();
  rooms.list(stands("attic", { read: 12, unread: 3, mentions: 1 }), false);
  assert.deepEqual([rooms.get("attic").unread, rooms.mentions, rooms.get("attic").seen], [3, 1, 12]);
  rooms.list(stands("attic", { read: 9, unread: 6 }), false);
  assert.equal(rooms.get("attic").unread, 3, "what this machine has seen is not told yet");
  rooms.hear(told("attic", 20), nobody);
  assert.equal(rooms.get("attic").unread, 3, "it was counted");
  rooms.hear(told("attic", 21, { count: 1 }), nobody);
  assert.equal(rooms.get("attic").unread, 4);
});

test("a room that a user has read on another machine is known here", () => {
  const rooms = two();
  rooms.list({ rooms: [...stands("cellar", { read: 2 }).rooms, ...stands("roof").rooms] });
  assert.deepEqual(rooms.all.map(({ name }) => name), ["attic", "cellar", "garden"]);
  assert.deepEqual(rooms.others.map(({ name }) => name), ["roof"]);
  rooms.list(stands("shed"), false);
  assert.equal(rooms.others.length, 1, "a room that was asked for is no other room");
});

test("what is read on another machine is new no more", () => {
  const rooms = two();
  rooms.hear(told("attic", 15, { count: 4, mentions: ["Me"] }), me);
  assert.equal(rooms.readElsewhere("attic", 13), true, "how much is left is to be asked");
  assert.equal(rooms.get("attic").unread, 4);
  assert.equal(rooms.readElsewhere("attic", 16), false);
  assert.deepEqual([rooms.get("attic").unread, rooms.mentions, rooms.get("attic").seen], [0, 0, 16]);
  assert.equal(rooms.readElsewhere("attic", 3), false);
  assert.equal(rooms.get("attic").seen, 16);
  assert.equal(rooms.readElsewhere("nowhere", 3), false);
  rooms.miss(false, 7);
  rooms.miss(true, 9);
  assert.equal(rooms.readElsewhere("garden", 8), true);
  assert.equal(rooms.readElsewhere("garden", 9), false);
  assert.deepEqual([rooms.get("garden").unread, rooms.mentions], [0, 0]);
});

test("what another tab has read is read, and what it has forgotten is forgotten", () => {
  const mine = new Rooms([
    { name: "attic", seen: 3, head: 9, unread: 6, mentions: 1, visited: 1 },
    { name: "cellar", seen: 9, head: 9, unread: 0, mentions: 0, visited: 2 },
    { name: "garden", seen: 5, head: 5, unread: 0, mentions: 0, visited: 3 },
    { name: "hall", seen: 5, head: 8, unread: 3, mentions: 0, visited: 3 },
  ]);
  mine.enter("garden", 4);
  const kept = (name, seen, visited) => ({ name, seen, head: seen, unread: 0, mentions: 0, visited });
  // It read all of the attic, some of the hall, knows less of the cellar, and was in another room.
  mine.share([kept("attic", 9, 7), kept("cellar", 2, 2), kept("hall", 6, 1), kept("kitchen", 4, 8)]);
  assert.deepEqual(mine.get("attic"), { ...kept("attic", 9, 7), topic: "", count: 0 });
  assert.equal(mine.get("cellar").seen, 9, "what has been seen only grows");
  assert.equal(mine.get("hall").unread, 3, "how much of it is left is not known here");
  assert.equal(mine.get("kitchen").seen, 4);
  assert.ok(mine.get("garden"), "one is there");
  // It has taken the hall off its list, and the garden, where one has been since.
  mine.share([{ ...kept("hall", 6, 1), off: 5 }, { ...kept("garden", 5, 1), off: 3 }]);
  assert.deepEqual(mine.all.map(({ name }) => name), ["attic", "cellar", "garden", "kitchen"]);
  mine.share([kept("hall", 6, 1)]);
  assert.equal(mine.all.length, 4, "a tab that has not heard of it does not undo it");
});

test("a user's room that was taken off the list stays off it until one goes there", () => {
  const rooms = new Rooms();
  rooms.enter("garden", 1);
  const mine = { rooms: [{ room: "attic", count: 0, seq: 3, read: 1, unread: 2, mentions: 1 }] };
  rooms.list(mine, false);
  assert.deepEqual(rooms.all.map(({ name }) => name), ["attic", "garden"]);
  rooms.forget("attic", 2);
  rooms.list(mine, false);
  assert.deepEqual(rooms.all.map(({ name }) => name), ["garden"]);
  assert.equal(rooms.mentions, 0);
  const again = new Rooms(JSON.parse(JSON.stringify(rooms.kept)));
  again.list(mine, false);
  assert.deepEqual(again.all.map(({ name }) => name), ["garden"]);
  again.enter("attic", 3);
  assert.deepEqual(again.all.map(({ name }) => name), ["attic", "garden"]);
});
