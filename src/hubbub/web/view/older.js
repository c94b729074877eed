/** Looking back: near the top, older messages are asked for, until the room begins. */

import { newId } from "../model/link.js";
import { byId } from "./dom.js";
import { apply, keepPlace, nearTop } from "./log.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {import("../model/room.js").ChatRow} Row */

/** So near the top, in pixels, that older messages are wanted soon. */
const NEAR = 800;
const LIMIT = 50;
/** More at once on the way to a message. */
const STRIDE = 100;

const scroll = byId("scroll");
const head = byId("older");
/** What was asked for and not answered yet. @type {{id: string, before: number} | null} */
let asked = null;
/** A message that is looked for, and what then. @type {{seq: number, then: (row: Row | undefined) => void} | null} */
let wanted = null;

/** Older messages are asked for until this one is there. @param {number} seq @param {(row: Row | undefined) => void} then */
export function seek(seq, then) {
  wanted = { seq, then };
  scroll.dispatchEvent(new Event("scroll")); // looks back, as at the top
}

/**
 * Ask, if it is time to.
 * @param {Room} room @param {(frame: object) => void} send
 */
export function lookBack(room, send) {
  show(room);
  if (asked || room.seq === 0 || room.begins || (!wanted && !nearTop(NEAR))) return;
  asked = { id: newId((bytes) => crypto.getRandomValues(bytes)), before: room.oldest };
  send({ type: "history", room: room.name, before: asked.before, limit: wanted ? STRIDE : LIMIT, id: asked.id });
  show(room);
}

/**
 * The answer. One to a question from before the log began anew, or lost its top, says nothing now.
 * @param {any} frame @param {Room} room
 */
export function looked(frame, room) {
  if (!asked || frame.id !== asked.id) return;
  const fits = asked.before === room.oldest;
  asked = null;
  if (fits) keepPlace(() => (apply(room.older(frame), room, false), show(room)));
  if (!wanted || (room.oldest > wanted.seq && !room.begins)) return;
  const { seq, then } = wanted;
  wanted = null;
  then(room.chat(seq));
}

/**
 * Whether an error is the answer.
 * @param {{id?: string}} error
 */
export function lookFailed(error) {
  const was = asked !== null && error.id === asked.id;
  if (was) asked = null;
  return was;
}

/** The connection is gone, and the answer with it. */
export function lookLost() {
  asked = wanted = null;
}

/** @param {Room} room */
function show(room) {
  // A message with the first number is the room's first; else the ones before are not kept.
  const begin = room.oldest === 1 ? words.beginning : words.oldest;
  const text = room.seq === 0 ? "" : room.begins ? begin : asked ? words.older : "";
  if (head.textContent !== text) keepPlace(() => (head.textContent = text));
}
