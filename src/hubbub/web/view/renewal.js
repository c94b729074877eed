/**
 * A token for a page that is open already. Whoever has a new one tells it on a channel that all pages
 * of this origin hear: a tab that was opened with `?token=`, or a page of the site itself
 * (docs/auth.md). Without one, a word before the old one ends.
 */

import { isToken } from "../model/session.js";
import { byId } from "./dom.js";
import { session } from "./session.js";
import { when } from "./time.js";
import { words } from "./words.js";

/** So long before the end it is said, in ms. */
const BEFORE = 60_000;
/** A timer takes no more, in ms. */
const LONGEST = 2 ** 31 - 1;
/** A page below a path is another Hubbub than its neighbour of the same origin. */
const NAME = `hubbub token ${new URL(".", document.baseURI).pathname}`;
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME);
let timer = 0;

/** @param {(token: string) => void} offered hears of tokens that others have */
export function renewal(offered) {
  channel?.addEventListener("message", ({ data }) => typeof data === "string" && isToken(data) && offered(data));
}

/** The token came with the address, and is good: others may want it. */
export function share() {
  if (session.isNew && session.token) channel?.postMessage(session.token);
}

/** Say in time that the token ends, as it is now. */
export function watchEnd() {
  clearTimeout(timer);
  const left = session.ends - Date.now();
  const soon = session.ends !== 0 && left <= BEFORE;
  byId("ending").textContent = soon ? words.ending(when(session.ends)) : "";
  if (session.ends && !soon) timer = window.setTimeout(watchEnd, Math.min(left - BEFORE, LONGEST));
}
