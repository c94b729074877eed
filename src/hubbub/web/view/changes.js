/** What can be done with one's own messages: other words, or none, after a question. */

import { byId, el } from "./dom.js";
import { button, fill, nameOf } from "./tools.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").ChatRow} ChatRow */
/** @typedef {import("./tools.js").Tool} Tool */

/**
 * @param {ChatRow} row @param {HTMLElement} li
 * @param {HTMLElement} bar where the buttons are
 * @param {() => Tool[]} others all that the bar offers while it does not ask
 * @param {() => void} remove
 * @returns {Tool}
 */
export function remover(row, li, bar, others, remove) {
  const ask = () => {
    const keep = button(words.keep, nameOf(words.keep, row), back);
    bar.replaceChildren(
      el("span", { text: words.sure }),
      button(words.remove, nameOf(words.remove, row), () => {
        byId("scroll").focus();
        remove();
      }),
      keep,
    );
    li.classList.add("asks");
    keep.focus(); // so that Enter twice takes nothing back
  };
  const back = () => {
    li.classList.remove("asks");
    fill(bar, row, others());
    /** @type {HTMLElement | null} */ (bar.querySelector(`[aria-label="${CSS.escape(nameOf(words.remove, row))}"]`))?.focus();
  };
  li.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && li.classList.contains("asks")) back();
  });
  return { label: words.remove, act: ask };
}
