/**
 * The conversation on the screen. It does what a `Patch` says, and what one is reading stays where
 * it is meanwhile: at the end if one is there, else the topmost row that can be seen.
 */

import { byId, el } from "./dom.js";
import { keepBy } from "./markup.js";
import { render } from "./row.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Row} Row */
/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {import("../model/room.js").Patch} Patch */

/** Rows that stay in the page; older ones go, so that a long day does not slow it down. */
const MOST = 1500;
/** So many go at once, so that not each message at the end moves the top. */
const BATCH = 100;
/** Within this many pixels of the end one counts as being there. */
const NEAR = 40;

const scroll = byId("scroll");
const rows = byId("rows");
const newer = byId("newer");
const empty = byId("empty");
let unseen = 0;
let sticks = true;
/** @type {Map<Row, HTMLElement>} */
let items = new Map();
/** @type {import("./row.js").Wardrobe} */
let wardrobe = { waits: () => undefined, dress: () => {}, react: () => {}, jump: () => {}, isFirstNew: () => false };

/**
 * Bring a message to the middle, and the keyboard to it.
 * @param {Row} row
 */
export function reveal(row) {
  const li = items.get(row);
  if (!li) return;
  sticks = false;
  li.scrollIntoView({ block: "center" });
  li.tabIndex = -1;
  li.focus({ preventScroll: true });
  li.classList.remove("found");
  void li.offsetWidth; // so that the mark begins anew
  li.classList.add("found");
  sticks = atEnd();
}

/** @param {typeof wardrobe} mine */
export function dressFrom(mine) {
  wardrobe = mine;
}

const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;

export function toEnd() {
  sticks = true;
  scroll.scrollTop = scroll.scrollHeight;
  count(0);
}

/** @param {number} n */
function count(n) {
  unseen = n;
  newer.hidden = n === 0;
  newer.textContent = words.newer(n);
}

scroll.addEventListener("scroll", () => {
  sticks = atEnd();
  if (sticks) count(0);
});
newer.addEventListener("click", () => {
  toEnd();
  byId("message").focus();
});
new ResizeObserver(() => sticks && toEnd()).observe(scroll);

/**
 * Change something in the log, and keep the reader's place.
 * @param {() => void} change
 */
export function keepPlace(change) {
  if (sticks) {
    change();
    toEnd();
    return;
  }
  const edge = scroll.getBoundingClientRect().top;
  const held = [...rows.children].find(
    (row) => !row.classList.contains("day") && row.getBoundingClientRect().bottom > edge,
  );
  const before = held?.getBoundingClientRect().top;
  change();
  // A row that looks anew is another element; then its place is that of what was there.
  const now = held?.isConnected ? held : [...items.values()].find((li) => li.dataset.seq && li.dataset.seq === held?.dataset.seq);
  if (now && before !== undefined) scroll.scrollTop += now.getBoundingClientRect().top - before;
}

keepBy(keepPlace);

/** Begin anew. */
export function clear() {
  rows.replaceChildren();
  items = new Map();
  count(0);
  sticks = true;
}

/**
 * @param {Row} row @param {Room} room
 * @param {boolean} aloud whether a screen reader is told
 */
function item(row, room, aloud) {
  const li = render(row, room, wardrobe);
  if (!aloud) li.setAttribute("aria-live", "off");
  items.set(row, li);
  return li;
}

/**
 * Do what a patch says; who has scrolled up stays where they are and is told how many are new.
 * @param {Patch} patch
 * @param {Room} room
 * @param {boolean} live whether it was said just now
 */
export function apply(patch, room, live) {
  const { gone, top, end, changed } = patch;
  if (!gone.length && !top.length && !end.length && !changed.length) return;
  keepPlace(() => {
    for (const row of gone) {
      items.get(row)?.remove();
      items.delete(row);
    }
    for (const row of changed) look(row, room);
    rows.prepend(...top.map((row) => item(row, room, false)));
    // A screen reader is told of what others say now: not of history, comings and goings, oneself.
    rows.append(
      ...end.map((row) => item(row, room, live && row.kind === "chat" && row.username !== room.me)),
    );
    empty.hidden = empty.hidden || rows.childElementCount > 0;
  });
  const chats = end.filter((row) => row.kind === "chat");
  if (chats.some((row) => live && row.username === room.me)) toEnd();
  else if (!sticks && live && chats.length) count(unseen + chats.length);
  // Only at the end: who reads further up keeps what they have loaded.
  if (sticks && room.rows.length > MOST) apply(room.trim(MOST - BATCH), room, false);
}

/**
 * Show a row anew, as it is now.
 * @param {Row | undefined} row @param {Room} room
 */
export function look(row, room) {
  const old = row && items.get(row);
  if (!row || !old) return;
  const held = old.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : undefined;
  const anew = item(row, room, false);
  old.replaceWith(anew);
  // The keyboard stays where it was: on the same button, or on the message.
  if (held === undefined) return;
  const same = held && anew.querySelector(`[aria-label="${CSS.escape(held)}"]`);
  /** @type {HTMLElement} */ (same || anew).focus({ preventScroll: true });
}

/** @param {string} link */
export function showEmpty(link) {
  empty.hidden = rows.childElementCount > 0;
  empty.replaceChildren(
    el("p", { text: words.empty }),
    el("p", { text: words.invite }),
    el("code", { text: link }),
  );
}
