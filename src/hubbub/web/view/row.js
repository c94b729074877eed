/** How each row of the log looks. */

import { hue, parts } from "../model/text.js";
import { el } from "./dom.js";
import { clock, dayName, moment, until } from "./time.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Row} Row */
/** @typedef {import("../model/room.js").ChatRow} ChatRow */
/** @typedef {import("../model/room.js").Room} Room */

/** @typedef {import("../model/outbox.js").Letter} Letter */

/**
 * What the page knows of a chat beside the room: `waits`, a change that is not in the log yet, and
 * `dress`, which adds what can be done with it.
 * @typedef {{waits: (row: ChatRow) => Letter | undefined,
 *   dress: (row: ChatRow, li: HTMLElement) => void}} Wardrobe
 */

/** @param {Row} row @param {Room} room @param {Wardrobe} wardrobe */
export function render(row, room, wardrobe) {
  switch (row.kind) {
    case "day":
      return el("li", { class: "day" }, el("span", { text: dayName(row.ts) }));
    case "gap":
      return el("li", { class: "notice gap", text: words.gap(row.first, row.last) });
    case "joined":
    case "left": {
      const who = row.name ?? row.username;
      const text = row.kind === "joined" ? words.joined(who) : words.left(who);
      return el("li", { class: "notice", text, dir: "auto" });
    }
    case "moderated": {
      const shown = (/** @type {string} */ name) => (Object.hasOwn(row.names, name) ? row.names[name] : name);
      const text = words.acted(row, until(row.until), shown);
      return el("li", { class: "notice act", text, dir: "auto" });
    }
    case "chat": {
      const li = chat(row, room, wardrobe.waits(row));
      wardrobe.dress(row, li);
      return li;
    }
  }
}

/** @param {ChatRow} row @param {Room} room @param {Letter | undefined} waits */
function chat(row, room, waits) {
  const own = row.username === room.me ? " own" : "";
  const li = el("li", { class: `chat${own}${row.head ? " head" : ""}` });
  li.dataset.seq = String(row.seq);
  if (row.head) {
    const name = el("b", { class: `name hue-${hue(row.username)}`, text: row.name ?? row.username, dir: "auto" });
    if (row.name) name.title = row.username;
    const guest = row.guest ? [el("span", { class: "you", text: words.guest })] : [];
    li.append(el("p", { class: "by" }, name, ...guest, clock(row.ts)));
  }
  const goes = row.deleted || waits?.kind === "delete";
  const body = goes ? el("p", { class: "text gone", text: words.deleted }) : text(waits?.text ?? row.text);
  if (row.edited !== undefined && !goes) {
    const mark = el("span", { class: "edited", text: words.edited });
    mark.title = moment(row.edited);
    body.append(mark);
  }
  if (!row.head) body.append(clock(row.ts));
  li.append(body);
  if (waits) {
    li.classList.add("waiting");
    li.append(el("p", { class: "why", text: waits.kind === "edit" ? words.changing : words.removing }));
  }
  return li;
}

/** @param {string} said */
export function text(said) {
  const body = el("p", { class: "text", dir: "auto" });
  for (const part of parts(said)) {
    if (!part.href) {
      body.append(part.text);
      continue;
    }
    const link = /** @type {HTMLAnchorElement} */ (el("a", { text: part.text }));
    link.href = part.href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow ugc";
    body.append(link);
  }
  return body;
}
