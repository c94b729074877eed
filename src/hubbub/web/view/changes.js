/** What can be done with one's own messages: buttons on each, and a question before one goes. */

import { byId, el } from "./dom.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").ChatRow} ChatRow */

/** So much of a message tells it from others in a button's name. */
const NAMED = 40;

// Where nothing hovers a tap on the message shows its buttons, and another one hides them.
byId("rows").addEventListener("click", (/** @type {MouseEvent} */ event) => {
  const at = /** @type {HTMLElement} */ (event.target);
  if (!matchMedia("(hover: none)").matches || at.closest("a, button") || String(getSelection())) return;
  const li = at.closest(".mine");
  for (const open of byId("rows").querySelectorAll(".open")) if (open !== li) open.classList.remove("open");
  li?.classList.toggle("open");
});

/**
 * @param {string} label @param {string} name what a screen reader says
 * @param {() => void} act
 */
function button(label, name, act) {
  const one = el("button", { class: "small", text: label });
  one.setAttribute("aria-label", name);
  one.addEventListener("click", act);
  return one;
}

/**
 * Put a moderator's button on someone else's message.
 * @param {ChatRow} row @param {HTMLElement} li @param {(row: ChatRow) => void} order
 */
export function orderTool(row, li, order) {
  const who = row.name ?? row.username;
  li.classList.add("mine");
  li.append(el("div", { class: "tools" }, button(words.order, `${words.orderPerson(who)}: ${row.text.slice(0, NAMED)}`, () => order(row))));
}

/**
 * Put the buttons on one's own message.
 * @param {ChatRow} row @param {HTMLElement} li
 * @param {(row: ChatRow) => void} edit @param {(row: ChatRow) => void} remove
 */
export function tools(row, li, edit, remove) {
  const start = row.text.slice(0, NAMED);
  const bar = el("div", { class: "tools" });
  const ask = () => {
    const keep = button(words.keep, `${words.keep}: ${start}`, offer);
    bar.replaceChildren(
      el("span", { text: words.sure }),
      button(words.remove, `${words.remove}: ${start}`, () => {
        byId("scroll").focus();
        remove(row);
      }),
      keep,
    );
    li.classList.add("asks");
    keep.focus(); // so that Enter twice takes nothing back
  };
  const offer = () => {
    const asked = li.classList.contains("asks");
    li.classList.remove("asks");
    const away = button(words.remove, `${words.remove}: ${start}`, ask);
    bar.replaceChildren(button(words.edit, `${words.edit}: ${start}`, () => edit(row)), away);
    if (asked) away.focus();
  };
  bar.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && li.classList.contains("asks")) offer();
  });
  offer();
  li.classList.add("mine");
  li.append(bar);
}
