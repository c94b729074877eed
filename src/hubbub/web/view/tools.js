/** What can be done with a message: buttons on it, which the keyboard reaches message by message. */

import { byId, el } from "./dom.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").ChatRow} ChatRow */
/** @typedef {{label: string, act: (button: HTMLElement) => void, name?: string, key?: string}} Tool */

/** So much of a message tells it from others in a button's name. */
const NAMED = 40;
const rows = byId("rows");
const scroll = byId("scroll");

// Where nothing hovers a tap on the message shows its buttons, and another one hides them.
rows.addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const at = /** @type {HTMLElement} */ (event.target);
  if (!matchMedia("(hover: none)").matches || at.closest("a, button") || String(getSelection())) return;
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

/**
 * Put buttons on a message.
 * @param {ChatRow} row @param {HTMLElement} li @param {Tool[]} tools
 * @returns {HTMLElement} the bar with the buttons
 */
export function equip(row, li, tools) {
  const bar = el("div", { class: "tools" });
  fill(bar, row, tools);
  li.classList.add("can");
  li.tabIndex = -1;
  li.append(bar);
  return bar;
}

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
