/** How each row of the log looks. */

import { outcome } from "../model/moves.js";
import { hue } from "../model/text.js";
import { el } from "./dom.js";
import { said } from "./markup.js";
import { reactions } from "./reactions.js";
import { clock, dayName, moment, until } from "./time.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Row} Row */
/** @typedef {import("../model/room.js").ChatRow} ChatRow */
/** @typedef {import("../model/room.js").Room} Room */

/** @typedef {import("../model/outbox.js").Letter} Letter */

/**
 * What the page knows of a chat beside the room: `waits`, a change that is not in the log yet, and
 * `dress`, which adds what can be done with it; what a press on its parts does;
 * and whether the line above what is new stands there.
 * @typedef {{waits: (row: ChatRow) => Letter | undefined,
 *   dress: (row: ChatRow, li: HTMLElement) => void,
 *   react: (row: ChatRow, emoji: string, on: boolean) => void, jump: (seq: number) => void,
 *   isFirstNew: (row: ChatRow) => boolean}} Wardrobe
 */

/** So many who came or left are named; all are when one points at it. */
const NAMED = 5;

/** @param {Row} row @param {Room} room @param {Wardrobe} wardrobe */
export function render(row, room, wardrobe) {
  switch (row.kind) {
    case "day":
      return el("li", { class: "day" }, el("span", { text: dayName(row.ts) }));
    case "gap":
      return el("li", { class: "notice gap", text: words.gap(row.first, row.last) });
    case "moved": {
      const { came, left, looked } = outcome(row);
      const told = (/** @type {number} */ most) => [
        came.length ? words.came(names(came, most)) : "",
        looked.length ? words.lookedIn(names(looked, most)) : "",
        left.length ? words.left(names(left, most)) : "",
      ].filter(Boolean).join(" · ");
      const li = el("li", { class: "notice", text: told(NAMED), dir: "auto" });
      if (li.textContent !== told(Infinity)) li.title = told(Infinity);
      return li;
    }
    case "moderated": {
      const shown = (/** @type {string} */ name) => (Object.hasOwn(row.names, name) ? row.names[name] : name);
      const text = words.acted(row, until(row.until), shown);
      return el("li", { class: "notice act", text, dir: "auto" });
    }
    case "chat": {
      const li = chat(row, room, wardrobe);
      wardrobe.dress(row, li);
      return li;
    }
  }
}

/** @param {import("../model/moves.js").Who[]} people @param {number} most so many are named */
function names(people, most) {
  const shown = people.map((one) => one.name ?? one.username);
  if (shown.length === 1) return shown[0];
  const named = shown.length > most + 1 ? shown.slice(0, most) : shown;
  // Each in its own direction (Unicode 6.3, isolates).
  return words.list(named.map((one) => `\u2068${one}\u2069`), shown.length - named.length);
}

/** Whose message it is. @param {{username: string, name?: string}} chat */
export function nameIn({ username, name }) {
  const label = el("b", { class: `name hue-${hue(username)}`, text: name ?? username, dir: "auto" });
  if (name) label.title = username;
  return label;
}

/** What a message answers. @param {import("../model/room.js").Quote} reply @param {Room} room @param {(seq: number) => void} [jump] */
export function quote(reply, room, jump) {
  const who = room.names.get(reply.username) ?? reply.username;
  const text = reply.deleted ? words.deleted : reply.text;
  const name = el("b", { text: who, dir: "auto" });
  const one = el(jump ? "button" : "p", { class: "quote" }, name, el("span", { text, dir: "auto" }));
  if (jump) {
    one.setAttribute("aria-label", words.answers(who, text));
    one.addEventListener("click", () => jump(reply.seq));
  }
  return one;
}

/** @param {ChatRow} row @param {Room} room @param {Wardrobe} wardrobe */
function chat(row, room, wardrobe) {
  const waits = wardrobe.waits(row);
  const own = row.username === room.me;
  const called = !own && room.calls(row.mentions);
  const li = el("li", { class: `chat${own ? " own" : ""}${row.head ? " head" : ""}${called ? " called" : ""}` });
  li.dataset.seq = String(row.seq);
  if (wardrobe.isFirstNew(row)) li.append(el("p", { class: "new-line" }, el("span", { text: words.newHere })));
  if (row.head) {
    const guest = row.guest ? [el("span", { class: "you", text: words.guest })] : [];
    li.append(el("p", { class: "by" }, nameIn(row), ...guest, clock(row.ts)));
  }
  if (row.reply) li.append(quote(row.reply, room, wardrobe.jump));
  const goes = row.deleted || waits?.kind === "delete";
  const body = goes
    ? el("div", { class: "text gone", text: words.deleted })
    : text(waits?.text ?? row.text, row.mentions);
  if (row.edited !== undefined && !goes) {
    const mark = el("span", { class: "edited", text: words.edited });
    mark.title = moment(row.edited);
    body.append(mark);
  }
  if (!goes && room.about.pins.includes(row.seq)) body.append(el("span", { class: "pinned", text: words.pinned }));
  if (!row.head) body.append(clock(row.ts));
  li.append(body, ...reactions(row, room, (emoji, on) => wardrobe.react(row, emoji, on)));
  if (waits) {
    li.classList.add("waiting");
    li.append(el("p", { class: "why", text: waits.kind === "edit" ? words.changing : words.removing }));
  }
  return li;
}

/** @param {string} words @param {string[]} [mentions] */
export const text = (words, mentions) => el("div", { class: "text", dir: "auto" }, said(words, mentions));
