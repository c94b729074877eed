/** How the connection is, and what there is to say of what one just did. */

import { later } from "./arrival.js";
import { byId } from "./dom.js";
import { showDoor } from "./door.js";
import { words } from "./words.js";

/** @param {string} what */
export function note(what) {
  if (byId("note").textContent !== what) byId("note").textContent = what;
}

/** Say that something is done; that is soon of no interest. @param {string} what */
export function tell(what) {
  note(what);
  window.setTimeout(() => byId("note").textContent === what && note(""), 4000);
}

/**
 * What few need comes when they first do. @template Part
 * @param {Promise<Part>} part @param {(part: Part) => void} then
 */
export function come(part, then) {
  part.then(then, () => tell(words.notLoaded));
}

/** @param {import("../model/socket.js").State} state */
export function showState(state) {
  const status = byId("status");
  status.dataset.state = state.kind;
  const text = state.kind === "waiting" ? `${words.later[state.code] ?? ""} ${words.again(state.seconds)}`.trim() : words[state.kind];
  if (status.textContent !== text) status.textContent = text;
  // Who is not in the room yet is told at the door.
  if (byId("house").hidden && state.kind === "waiting") showDoor({ message: later(state.code) });
}
