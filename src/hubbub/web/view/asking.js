/** What is asked of the server, and who waits for the answer. */

import { newId } from "../model/link.js";

/** Not answered yet, by the question's id. @type {Map<string, (answer: any) => void>} */
const asked = new Map();
/** @type {(frame: object) => void} */
let send = () => {};

/** @param {typeof send} how a frame is sent */
export function askBy(how) {
  send = how;
}

/** @param {{type: string, [field: string]: unknown}} frame @param {(answer: any) => void} then */
export function ask(frame, then) {
  const id = newId((bytes) => crypto.getRandomValues(bytes));
  asked.set(id, then);
  send({ ...frame, id });
}

/**
 * A frame: whether it answers something asked here, and is of no concern to the room.
 * @param {any} frame
 */
export function answered(frame) {
  const then = asked.get(frame.id);
  if (!then) return false;
  asked.delete(frame.id);
  then(frame);
  return frame.seq === undefined || frame.type === "thread";
}

/** The connection is gone, and the answers with it. */
export function answersLost() {
  asked.clear();
}
