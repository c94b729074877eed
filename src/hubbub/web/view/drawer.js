/** What stands beside the conversation, or on a narrow screen slides over it. */

import { byId } from "./dom.js";

/**
 * A drawer that a button opens, and that Escape and a touch beside it close.
 * @param {HTMLElement} toggle @param {string} name the class of the body while it is open
 * @returns {(open: boolean) => void} opens it, or closes it
 */
export function drawer(toggle, name) {
  const set = (/** @type {boolean} */ open) => {
    document.body.classList.toggle(name, open);
    toggle.setAttribute("aria-expanded", String(open));
  };
  toggle.addEventListener("click", () => set(toggle.getAttribute("aria-expanded") !== "true"));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) set(false);
  });
  byId("scroll").addEventListener("pointerdown", () => set(false));
  return set;
}
