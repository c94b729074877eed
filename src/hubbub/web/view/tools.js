/** What can be done with a message: buttons on it, which the keyboard reaches message by message. */

import { byId, el } from "./dom.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").ChatRow} ChatRow */
/** @typedef {{label: string, act: (button: HTMLElement) => void, name?: string, key?: string}} Tool */

/** So much of a message tells it from others in a button's name. */
const NAMED = 40;
const rows = byId("rows");
const scroll = byId("scroll");
const hovers = matchMedia("(hover: hover)");

// Where nothing hovers a tap on the message shows its buttons, and another one hides them.
rows.addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const at = /** @type {HTMLElement} */ (event.target);
  if (hovers.matches || at.closest("a, button") || String(getSelection())) return;
  const li = at.closest(".can");
  for (const open of rows.querySelectorAll(".open")) if (open !== li) open.classList.remove("open");
  li?.classList.toggle("open");
});

/** @param {string} label @param {string} name what a screen reader says @param {(button: HTMLElement) => void} act */
export function button(label, name, act) {
  const one = el("button", { class: "small", text: label });
  one.setAttribute("aria-label", name);
  one.addEventListener("click", () => act(one));
  return one;
}

/** How a button on this message is called. @param {string} label @param {{text: string}} row */
export const nameOf = (label, row) => `${label}: ${row.text.slice(0, NAMED)}`;

/** Messages without their buttons yet, and what puts them there. @type {Map<Element, () => void>} */
const bare = new Map();
/** For so long nothing moved, in ms, before all in the page get their buttons ... */
const REST = 150;
/** ... or so long after the first came, if there is always something that moves. */
const LATEST = 1000;
let isMoving = false;
let moved = 0;
let timer = 0;

/**
 * Put buttons on a message: when it is pointed at, has the keyboard, or has been in the page for a
 * while. Most rows that one scrolls past never need them, and they are half of what a row costs.
 * @param {ChatRow} row @param {HTMLElement} li
 * @param {(bar: HTMLElement) => Tool[]} offer what is on the bar
 */
export function equip(row, li, offer) {
  li.classList.add("can");
  li.tabIndex = -1;
  bare.set(li, () => {
    const bar = el("div", { class: "tools" });
    bar.setAttribute("aria-live", "off"); // what was said is told, and that alone
    fill(bar, row, offer(bar));
    li.append(bar);
  });
  timer ||= window.setTimeout(equipAll, REST, performance.now() + LATEST);
}

/** A message's buttons are wanted now. @param {Element | null | undefined} li */
export function equipNow(li) {
  if (!li) return;
  bare.get(li)?.();
  bare.delete(li);
}

/** As many as there is time for, then the others. @param {number} latest */
function equipAll(latest) {
  const until = performance.now() + 4;
  if (!isMoving || until > latest) {
    for (const li of bare.keys()) {
      if (performance.now() > until) break;
      if (li.isConnected) equipNow(li);
      else bare.delete(li);
    }
  }
  timer = bare.size && window.setTimeout(equipAll, isMoving ? REST : 16, latest);
}

/** @param {EventTarget | null} at */
const can = (at) => (at instanceof Element ? at.closest(".can") : null);
scroll.addEventListener("focusin", (/** @type {FocusEvent} */ event) => equipNow(can(event.target)));

/** The message that the mouse is on. While the log moves under it that stays the same. @param {Element | null} li */
function point(li) {
  const before = rows.querySelector(":scope > .point");
  if (before === li) return;
  before?.classList.remove("point");
  equipNow(li);
  if (hovers.matches) li?.classList.add("point");
}

function rest() {
  const left = moved + REST - performance.now();
  isMoving = left > 0;
  if (isMoving) setTimeout(rest, left);
  else point(rows.querySelector(":scope > .can:hover"));
}

scroll.addEventListener("scroll", () => {
  moved = performance.now();
  if (!isMoving) rest();
});
for (const kind of ["pointerover", "pointermove"]) {
  scroll.addEventListener(kind, (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === "touch") equipNow(can(event.target));
    // A browser tells of moves where none is, because what is under the mouse is something else now.
    else if (!isMoving || event.movementX || event.movementY) point(can(event.target));
  });
}
scroll.addEventListener("pointerleave", () => point(null));

/** @param {HTMLElement} bar @param {ChatRow} row @param {Tool[]} tools */
export function fill(bar, row, tools) {
  bar.replaceChildren(
    ...tools.map(({ label, act, name, key }) => {
      const one = button(label, name ?? nameOf(label, row), act);
      if (key) one.setAttribute("aria-keyshortcuts", key);
      return one;
    }),
  );
}

/** The message on which the keyboard is, in the list. @param {EventTarget | null} at */
const rowOf = (at) => /** @type {HTMLElement | null} */ (at instanceof Element ? at.closest("#rows > .chat") : null);

/** The next message in a direction, if there is one. @param {Element | null} from @param {"previous" | "next"} to */
function beside(from, to) {
  let at = from?.[`${to}ElementSibling`] ?? null;
  while (at && !at.matches(".can")) at = at[`${to}ElementSibling`];
  return /** @type {HTMLElement | null} */ (at);
}

// In the log the arrows go from message to message; a letter does what the button with it does.
scroll.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const row = rowOf(event.target);
  if (event.key === "Escape" && row && !row.classList.contains("asks")) return byId("message").focus();
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const up = event.key === "ArrowUp";
    if (!row && !(up && event.target === scroll)) return;
    const to = row ? beside(row, up ? "previous" : "next") : lastSeen();
    if (!to) return;
    event.preventDefault();
    to.focus();
    to.scrollIntoView({ block: "nearest" });
    return;
  }
  if (event.target !== row) return;
  const tool = row?.querySelector(`.tools > [aria-keyshortcuts="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!tool) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (tool).click();
});

/** The last message that is in sight. */
function lastSeen() {
  const edge = scroll.getBoundingClientRect().bottom;
  const seen = [...rows.querySelectorAll(":scope > .can")].filter((li) => li.getBoundingClientRect().top < edge);
  return /** @type {HTMLElement | undefined} */ (seen.at(-1)) ?? null;
}

scroll.setAttribute("aria-description", words.walk);
