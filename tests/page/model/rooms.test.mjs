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
