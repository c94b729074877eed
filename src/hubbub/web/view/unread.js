/** What is new since one looked: a line in the log, the title, and word of it outside the page. */

import { byId } from "./dom.js";
import { look } from "./log.js";
import { keepRooms, rooms, showRooms, tellRead } from "./sidebar.js";
import { read, write } from "./memory.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {import("../model/room.js").ChatRow} ChatRow */

/** The message above which the line stands; 0: there is none. */
let first = 0;
/** The room in which it stands. @type {Room | null} */
let of = null;
/** What comes after the one `seq` and up to the other was said while one was away. */
let missed = { after: 0, upTo: 0 };
/** @type {() => Room | null} */
let here = () => null;

/** Whether one looks at the page. */
const looks = () => !document.hidden;

/** Whether a message is the first new one. @param {ChatRow} row */
export const isFirstNew = (row) => row.seq === first;

/** @param {() => Room | null} room the room that one is in */
export function unread(room) {
  here = room;
  document.addEventListener("visibilitychange", () => looks() && seen());
}

/** @param {number} seq @param {Room} room */
function line(seq, room) {
  const before = first;
  first = seq;
  for (const one of [before, first]) look(room.chat(one), room);
}

/** One has come in; the log stands at `head`, and may still be on its way. @param {Room} room @param {number} head */
export function comeIn(room, head) {
  const before = rooms.get(room.name)?.seen;
  rooms.enter(room.name, Date.now());
  const isNew = (/** @type {import("../model/room.js").Row} */ row) =>
    row.kind === "chat" && before !== undefined && row.seq > before && !room.owns(row);
  const fresh = room.rows.find(isNew);
  if (fresh?.kind === "chat") line(fresh.seq, room);
  else if (of !== room) line(0, room);
  of = room;
  // What has been seen may come again: where the browser kept an older position than what was read.
  missed = before === undefined ? { after: 0, upTo: 0 } : { after: before > head ? 0 : before, upTo: head };
  if (looks()) seen();
  else show(room);
}

/** Something is about to be shown: whether the line goes above it. @param {any} frame @param {Room} room */
export function comes(frame, room) {
  if (frame.type !== "chat" || room.own.has(frame.seq) || frame.seq <= Math.max(room.seq, missed.after)) return;
  if (looks() ? frame.seq <= missed.upTo && !first : !rooms.get(room.name)?.unread) line(frame.seq, room);
}

/** It is shown. @param {any} frame @param {Room} room */
export function came(frame, room) {
  if (looks()) return seen();
  const row = frame.type === "chat" ? room.chat(frame.seq) : undefined;
  if (!row || room.owns(row)) return;
  const called = room.calls(row.mentions);
  rooms.miss(called, row.seq);
  show(room);
  if (called) tell(words.calledBy(row.name ?? row.username, room.name), row.text, room.name);
}

/** All that is here has been seen. */
function seen() {
  const room = here();
  if (!room?.seq) return;
  tellRead(room.name, room.seq);
  if (rooms.read(room.name, room.seq)) show(room);
  else keepRooms();
}

/** @param {Room} room */
function show(room) {
  showRooms();
  showTitle(room);
}

/** The title says how many words there are to one; a dot: that something is new. @param {Room | null} room */
export function showTitle(room) {
  const { mentions, isNew } = rooms;
  const mark = mentions ? `(${mentions}) ` : isNew ? "• " : "";
  const title = room ? `${mark}${room.name} · Hubbub` : "Hubbub";
  if (document.title !== title) document.title = title;
}

/** Whether the browser can tell of mentions at all. */
export const canTell = () => "Notification" in window && isSecureContext;
/** Whether one wants it to. */
export const wants = () => canTell() && Notification.permission === "granted" && read("notify") === "on";

/** Ask the browser, on a click; gives whether it may from now on. @param {boolean} on */
export async function want(on) {
  write("notify", on ? "on" : "");
  return on && canTell() && (await Notification.requestPermission()) === "granted";
}

/** @param {string} title @param {string} body @param {string} tag one place for each room */
export function tell(title, body, tag) {
  if (!wants() || looks()) return;
  const one = new Notification(title, { body: body.slice(0, 200), tag, icon: "static/icon.svg" });
  one.addEventListener("click", () => {
    window.focus();
    one.close();
    byId("message").focus();
  });
}
