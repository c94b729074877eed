/** What is being written, for each room: kept until it is sent, over reloads and visits elsewhere. */

import { byId } from "./dom.js";
import { recall, write } from "./memory.js";

/** So many rooms' drafts are kept, the last written ones. */
const MOST = 50;
/** Of whom and of which room what is in the box is. @type {string} */
let at = "";

/** @returns {Record<string, string>} */
function all() {
  const found = recall("drafts");
  return found && typeof found === "object" ? found : {};
}

/** Keep what is written as the draft of the room that one is in. @param {string} text */
export function keepDraft(text) {
  if (!at) return;
  const { [at]: before, ...others } = all();
  if (text === (before ?? "")) return;
  const kept = Object.entries(others).slice(-MOST + 1);
  write("drafts", JSON.stringify(Object.fromEntries(text ? [...kept, [at, text]] : kept)));
}

/** One is in this room under this name now; gives what one was writing there. @param {string} room @param {string} me */
export function draftOf(room, me) {
  at = JSON.stringify([me, room]);
  return all()[at] ?? "";
}

/** Whether the box has the words of this room. @param {string} room @param {string} me */
export const isDraftOf = (room, me) => at === JSON.stringify([me, room]);

/** One is in no room. */
export function noDraft() {
  at = "";
}

/** @param {() => string} text what is written that is no edit */
export function drafts(text) {
  byId("message").addEventListener("input", () => keepDraft(text()));
}
