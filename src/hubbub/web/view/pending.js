/**
 * What is not in the log yet, below it: what was said, and whatever the server refused. A change
 * that only waits is shown on its message.
 */

import { byId, el } from "./dom.js";
import { keepPlace } from "./log.js";
import { whyNot } from "./refusal.js";
import { quote, text } from "./row.js";
import { words } from "./words.js";

/** @typedef {import("../model/outbox.js").Letter} Letter */

const pending = byId("pending");

/**
 * @param {Letter[]} letters @param {import("../model/room.js").Room | null} room
 * @param {(id: string) => void} retry
 * @param {(id: string) => void} discard
 */
export function showPending(letters, room, retry, discard) {
  const shown = letters.filter((letter) => letter.kind === "chat" || letter.state === "failed");
  if (!shown.length && !pending.childElementCount) return;
  keepPlace(() => {
    pending.replaceChildren(...shown.map((letter) => item(letter, room, retry, discard)));
    if (shown.length) byId("empty").hidden = true;
  });
}

/**
 * @param {Letter} letter @param {import("../model/room.js").Room | null} room
 * @param {(id: string) => void} retry @param {(id: string) => void} discard
 */
function item(letter, room, retry, discard) {
  const answers = letter.reply && room ? [quote(letter.reply, room)] : [];
  if (letter.state !== "failed") {
    return el("li", { class: "chat own waiting" }, ...answers, text(letter.text), el("p", { class: "why", text: words.waiting }));
  }
  const why = el("p", { class: "why" }, el("span", { text: `${words.failed[letter.kind]}: ${whyNot(letter)}`, dir: "auto" }));
  why.append(
    button(letter.reply && letter.code === "not_found" ? words.retryAlone : words.retry, () => retry(letter.id)),
    button(words.discard, () => discard(letter.id)),
  );
  const what = letter.kind === "delete" ? [] : [text(letter.text)];
  return el("li", { class: "chat own failed" }, ...answers, ...what, why);
}

/** @param {string} label @param {() => void} act */
function button(label, act) {
  const one = el("button", { class: "small", text: label });
  one.addEventListener("click", act);
  return one;
}
