/** The emoji that people put on a message, and who did; a press puts one's own there, or takes it away. */

import { el } from "./dom.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").ChatRow} ChatRow */
/** @typedef {import("../model/room.js").Room} Room */

/**
 * @param {ChatRow} row @param {Room} room
 * @param {(emoji: string, on: boolean) => void} react
 * @returns {HTMLElement[]} a list, if there are any
 */
export function reactions(row, room, react) {
  const standing = Object.entries(row.reactions).filter(([, { count }]) => count > 0);
  if (!standing.length) return [];
  const items = standing.map(([emoji, { count, users }]) => {
    const mine = users.includes(room.me);
    const one = el("button", { class: "reaction" }, el("span", { text: emoji }), el("span", { text: String(count) }));
    const shown = users.map((name) => room.names.get(name) ?? name);
    one.setAttribute("aria-pressed", String(mine));
    one.title = words.reactedBy(emoji, shown, count);
    one.setAttribute("aria-label", one.title);
    one.addEventListener("click", () => react(emoji, !mine));
    return el("li", {}, one);
  });
  return [el("ul", { class: "reactions" }, ...items)];
}
