/** Going to messages and linking to them, reactions, pins, the topic. */

import { ask } from "./asking.js";
import { copyText } from "./copy.js";
import { byId } from "./dom.js";
import { reveal } from "./log.js";
import { seek } from "./older.js";
import { come, note, tell } from "./status.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */

/** Further back than this a message is shown by itself: so much is not loaded for one look. */
const FAR = 1000;

/** @param {any} error */
export const told = (error) => (error.code === "not_found" ? words.notThere : error.message);

/** A message and what was answered to it. @param {number} seq @param {Room} room @param {(row: any) => void} [answer] */
export const thread = (seq, room, answer) => come(import("./about.js"), ({ showThread }) => showThread(seq, room, answer));

/** Go to a message, or show it where it is too far up. @param {number} seq @param {Room} room */
export function jump(seq, room) {
  const row = room.chat(seq);
  if (row) reveal(row);
  else if (room.begins || seq > room.seq || room.seq - seq > FAR) thread(seq, room);
  else seek(seq, (found) => (found ? reveal(found) : thread(seq, room)));
}

/** Where a message is found. @param {number} seq */
export function copyMessageLink(seq) {
  const link = new URL(location.href);
  link.hash = String(seq);
  copyText(link.href).then(() => tell(words.linkCopied));
}

/** The message that the address names, once. */
export function named() {
  const seq = /^#(\d{1,15})$/.exec(location.hash)?.[1];
  if (seq) history.replaceState(null, "", location.pathname + location.search);
  return seq ? Number(seq) : 0;
}

/** @param {number} seq @param {string} emoji @param {boolean} on @param {Room} room */
export function react(seq, emoji, on, room) {
  ask({ type: "react", room: room.name, seq, emoji, on }, (answer) => {
    if (answer.type === "error") tell(words.patience[answer.code] ?? told(answer));
  });
}

/** @param {number} seq @param {Room} room */
export function pin(seq, room) {
  const on = !room.about.pins.includes(seq);
  ask({ type: "pin", room: room.name, seq, on }, (answer) => answer.type === "error" && note(told(answer)));
}

/** The topic under the room's name. @param {Room} room */
export function showTopic(room) {
  const line = byId("topic");
  if (line.textContent !== room.about.topic) line.textContent = line.title = room.about.topic;
}
