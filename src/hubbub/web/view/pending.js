/** What is not in the log yet, below it. */

import { byId, el } from "./dom.js";
import { keepPlace } from "./log.js";
import { text } from "./row.js";
import { words } from "./words.js";

const pending = byId("pending");

/**
 * @param {import("../model/outbox.js").Letter[]} letters
 * @param {(id: string) => void} retry
 * @param {(id: string) => void} discard
 */
export function showPending(letters, retry, discard) {
  keepPlace(() => {
    pending.replaceChildren(
      ...letters.map((letter) => {
        const failed = letter.state === "failed";
        const note = el("span", { text: failed ? `${words.failed}: ${letter.why}` : words.waiting });
        const why = el("p", { class: "why" }, note);
        if (failed) {
          why.append(
            button(words.retry, () => retry(letter.id)),
            button(words.discard, () => discard(letter.id)),
          );
        }
        return el("li", { class: `chat own ${failed ? "failed" : "waiting"}` }, text(letter.text), why);
      }),
    );
    if (letters.length) byId("empty").hidden = true;
  });
}

/** @param {string} label @param {() => void} act */
export function button(label, act) {
  const one = el("button", { class: "small", text: label });
  one.addEventListener("click", act);
  return one;
}
