/**
 * The conversation on the screen. It does what a `Patch` says, and what one is reading stays where
 * it is meanwhile: at the end if one is there, else the topmost row that can be seen.
 *
 * Of a long log only some rows are in the page, those near what one sees: a browser takes as long for
 * a frame as there are rows. They come and go as one scrolls, but a row that has the keyboard, or of
 * which something is selected, stays.
 */

import { Span } from "../model/span.js";
import { byId, el } from "./dom.js";
import { keepBy } from "./markup.js";
import { render } from "./row.js";
import { dayName } from "./time.js";
import { equipNow } from "./tools.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Row} Row */
/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {import("../model/room.js").Patch} Patch */

/** Rows that stay in the page; older ones go, so that a long day does not slow it down. */
const MOST = 1500;
/** So many go at once, so that not each message at the end moves the top. */
const BATCH = 100;
/** Up to so many all are in the page. */
const ALL = 240;
/** So many are there in the beginning, and after a leap. */
const SOME = 120;
/** So much of a longer one is in the page on both sides of what one sees, in pixels. */
const MARGIN = 900;
/** If there is less, all that is wanted comes at once. */
const SOON = 300;
/** So much more may be in the page before some of it leaves. */
const SPARE = 1000;
/** Rows that come at once, while none of them would be seen yet. */
const FEW = 4;
/** Within this many pixels of the end one counts as being there. */
const NEAR = 40;

const scroll = byId("scroll");
const rows = byId("rows");
const newer = byId("newer");
const empty = byId("empty");
let unseen = 0;
let sticks = true;
/** The rows in the page. @type {Map<Row, HTMLElement>} */
let items = new Map();
/** The rows that there are. @type {Row[]} */
let all = [];
/** @type {Room} */
let of;
const span = new Span();
/** Says which day it is, where the row that begins it is not in the page; takes no space. */
const day = el("li", { class: "day over" });
day.setAttribute("aria-live", "off");
/** @type {import("./row.js").Wardrobe} */
let wardrobe = { waits: () => undefined, dress: () => {}, react: () => {}, jump: () => {}, isFirstNew: () => false };

/**
 * Bring a message to the middle, and the keyboard to it.
 * @param {Row} row
 */
export function reveal(row) {
  if (!items.has(row)) turnTo(all.indexOf(row));
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
  fill();
}

/** @param {typeof wardrobe} mine */
export function dressFrom(mine) {
  wardrobe = mine;
}

const atEnd = () => span.to === all.length && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;

/** Whether one is so near the top of all that there is. @param {number} pixels */
export const nearTop = (pixels) => span.from === 0 && scroll.scrollTop <= pixels;

export function toEnd() {
  sticks = true;
  if (span.to < all.length) turnTo(all.length);
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
  fill();
});
newer.addEventListener("click", () => {
  toEnd();
  byId("message").focus();
});
new ResizeObserver(() => (sticks ? toEnd() : fill())).observe(scroll);

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
  const held = inPage().find((row) => !row.classList.contains("day") && row.getBoundingClientRect().bottom > edge);
  const before = held?.getBoundingClientRect().top;
  change();
  // A row that looks anew is another element; then its place is that of what was there.
  const now = held?.isConnected ? held : [...items.values()].find((li) => li.dataset.seq && li.dataset.seq === held?.dataset.seq);
  if (now && before !== undefined) scroll.scrollTop += now.getBoundingClientRect().top - before;
}

keepBy(keepPlace);

/** @returns {HTMLElement[]} */
const inPage = () => /** @type {HTMLElement[]} */ ([...rows.children]).filter((li) => li !== day);

/** Begin anew. */
export function clear() {
  rows.replaceChildren();
  items = new Map();
  all = [];
  settle(0, 0);
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
  const wasEnd = span.to === span.count;
  all = room.rows;
  of = room;
  keepPlace(() => {
    for (const row of gone) {
      items.get(row)?.remove();
      items.delete(row);
    }
    for (const row of changed) look(row, room);
    const first = inPage()[0];
    const from = first ? all.findIndex((row) => items.get(row) === first) : all.length - (wasEnd ? end.length : 0);
    settle(from, from + items.size);
    const isShort = all.length <= ALL;
    if (isShort) bring(-1, span.from);
    // A screen reader is told of what others say now: not of history, comings and goings, oneself.
    const isNew = (/** @type {Row} */ row) => live && row.kind === "chat" && row.username !== room.me;
    if (isShort || (wasEnd && end.length < ALL)) bring(1, all.length - span.to, isNew);
    else if (wasEnd) turnTo(all.length);
    empty.hidden = empty.hidden || items.size > 0;
  });
  const chats = end.filter((row) => row.kind === "chat");
  if (chats.some((row) => live && row.username === room.me)) toEnd();
  else if (!sticks && live && chats.length) count(unseen + chats.length);
  // Only at the end: who reads further up keeps what they have loaded.
  if (sticks && room.rows.length > MOST) apply(room.trim(MOST - BATCH), room, false);
  fill();
}

/** These are in the page, of the same rows as before or of others. @param {number} from @param {number} to */
function settle(from, to) {
  if (span.count === all.length) span.move(all, from, to);
  else span.set(all, from, to);
  showDay();
  rows.style.paddingTop = `${span.above}px`;
  rows.style.paddingBottom = `${span.below}px`;
}

function showDay() {
  let at = span.from;
  if (!at || !items.size || all[at].kind === "day") return day.remove();
  while (at > 0 && !("ts" in all[at])) at--;
  const row = all[at];
  const text = "ts" in row ? dayName(row.ts) : "";
  if (day.textContent !== text) day.replaceChildren(el("span", { text }));
  if (rows.firstChild !== day) rows.prepend(day);
}

/**
 * More rows come into the page, above or below.
 * @param {-1 | 1} way @param {number} many @param {(row: Row) => boolean} [aloud]
 */
function bring(way, many, aloud = () => false) {
  if (!many) return;
  const { from, to } = span;
  const some = way < 0 ? all.slice(from - many, from) : all.slice(to, to + many);
  const made = some.map((row) => item(row, of, aloud(row)));
  if (way > 0) rows.append(...made);
  else if (day.isConnected) day.after(...made);
  else rows.prepend(...made);
  settle(way < 0 ? from - many : from, way < 0 ? to : to + many);
}

/**
 * Rows far from what one sees leave the page, on one side, up to one that has the keyboard or of which
 * something is selected. Their space stays, so nothing moves.
 * @param {-1 | 1} way @param {number} pixels so much
 */
function leave(way, pixels) {
  const there = inPage();
  const kept = [document.activeElement, getSelection()?.anchorNode, getSelection()?.focusNode];
  const { from, to } = span;
  /** @type {HTMLElement[]} */
  const going = [];
  for (let at = way < 0 ? 0 : there.length - 1; there[at]; at -= way) {
    const height = end(there, at) - end(there, at - 1);
    pixels -= height;
    if (pixels < 0 || kept.some((node) => node && there[at].contains(node))) break;
    span.measured(all[from + at], height);
    going.push(there[at]);
  }
  going.forEach((li, count) => {
    items.delete(all[way < 0 ? from + count : to - 1 - count]);
    li.remove();
  });
  if (going.length) settle(way < 0 ? from + going.length : from, way < 0 ? to : to - going.length);
}

/**
 * Where a row ends, of those in the page: margins are on top. A day may be shown elsewhere than it stands.
 * @param {HTMLElement[]} there @param {number} at @returns {number}
 */
function end(there, at) {
  if (at < 0) return rows.getBoundingClientRect().top + span.above;
  const { bottom, height } = there[at].getBoundingClientRect();
  return there[at].classList.contains("day") ? end(there, at - 1) + height : bottom;
}

/** The rows around one, or the last, and no others are in the page. @param {number} at */
function turnTo(at) {
  const from = Math.max(0, Math.min(at - SOME / 2, all.length - SOME));
  rows.replaceChildren();
  items = new Map();
  settle(from, from);
  bring(1, Math.min(SOME, all.length - from));
}

let filling = false;

/** See that there are rows where one looks, and around that. */
function fill() {
  if (filling || all.length <= ALL) return;
  filling = true;
  const view = scroll.getBoundingClientRect();
  const there = rows.getBoundingClientRect();
  // So many pixels are in the page beyond what one sees.
  const over = view.top - there.top - span.above;
  const under = there.bottom - span.below - view.bottom;
  if ((over < -view.height && span.from) || (under < -view.height && span.to < all.length)) {
    if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR) toEnd();
    else {
      const at = span.at(all, view.top - there.top);
      turnTo(at);
      const li = items.get(all[at]);
      if (li) scroll.scrollTop += li.getBoundingClientRect().top - view.top;
    }
  } else {
    // All is measured while the browser knows where it is. Any row tells the place: none of them changes.
    const held = inPage().find((li) => !li.classList.contains("day"));
    const before = held?.getBoundingClientRect().top ?? 0;
    if (over > MARGIN + SPARE) leave(-1, over - MARGIN);
    if (under > MARGIN + SPARE) leave(1, under - MARGIN);
    const up = span.needs(all, -1, MARGIN - over, over < SOON ? ALL : FEW);
    bring(1, span.needs(all, 1, MARGIN - under, under < SOON ? ALL : FEW));
    if (up) bring(-1, up);
    if (up && held) scroll.scrollTop += held.getBoundingClientRect().top - before;
  }
  filling = false;
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
  const shown = ["point", "open"].filter((one) => old.classList.contains(one));
  anew.classList.add(...shown);
  if (shown.length || held !== undefined) equipNow(anew);
  // The keyboard stays where it was: on the same button, or on the message.
  if (held === undefined) return;
  anew.tabIndex = -1;
  const same = held && anew.querySelector(`[aria-label="${CSS.escape(held)}"]`);
  /** @type {HTMLElement} */ (same || anew).focus({ preventScroll: true });
}

/** @param {string} link */
export function showEmpty(link) {
  empty.hidden = items.size > 0;
  empty.replaceChildren(
    el("p", { text: words.empty }),
    el("p", { text: words.invite }),
    el("code", { text: link }),
  );
}
