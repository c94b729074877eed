import { hue, parts } from "../model/text.js";
import { byId, el } from "./dom.js";
import { clock, dayName } from "./time.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Row} Row */

/** Rows that stay in the page; older ones go, so that a long day does not slow it down. */
const MOST = 1500;
/** Within this many pixels of the end one counts as being there. */
const NEAR = 40;

const scroll = byId("scroll");
const rows = byId("rows");
const pending = byId("pending");
const newer = byId("newer");
const empty = byId("empty");
let unseen = 0;
let sticks = true;

const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;

export function toEnd() {
  sticks = true;
  scroll.scrollTop = scroll.scrollHeight;
  count(0);
}

/** @param {number} n */
function count(n) {
  unseen = n;
  newer.hidden = n === 0;
  newer.textContent = words.newer(n);
}

scroll.addEventListener("scroll", () => {
  sticks = atEnd();
  if (sticks) count(0);
});
newer.addEventListener("click", () => {
  toEnd();
  byId("message").focus();
});
new ResizeObserver(() => sticks && toEnd()).observe(scroll);

/** Begin anew. */
export function clear() {
  rows.replaceChildren();
  count(0);
  sticks = true;
}

/**
 * Add rows at the end; who has scrolled up stays where they are and is told how many are new.
 * @param {Row[]} added
 * @param {string} me
 * @param {boolean} live whether they were said just now
 */
export function append(added, me, live) {
  if (!added.length) return;
  for (const row of added) {
    const item = render(row, me);
    // A screen reader is told of what others say now: not of history, comings and goings, oneself.
    if (!live || row.kind !== "chat" || row.username === me) item.setAttribute("aria-live", "off");
    rows.append(item);
  }
  while (rows.childElementCount > MOST) rows.firstElementChild.remove();
  empty.hidden = true;
  const chats = added.filter((row) => row.kind === "chat");
  if (sticks || chats.some((row) => live && row.username === me)) toEnd();
  else if (live) count(unseen + chats.length);
}

/** @param {string} link */
export function showEmpty(link) {
  empty.hidden = rows.childElementCount > 0;
  empty.replaceChildren(
    el("p", { text: words.empty }),
    el("p", { text: words.invite }),
    el("code", { text: link }),
  );
}

/** @param {Row} row @param {string} me */
function render(row, me) {
  switch (row.kind) {
    case "day":
      return el("li", { class: "day" }, el("span", { text: dayName(row.ts) }));
    case "gap":
      return el("li", { class: "notice gap", text: words.gap(row.first, row.last) });
    case "joined":
    case "left": {
      const text = row.kind === "joined" ? words.joined(row.username) : words.left(row.username);
      return el("li", { class: "notice", text, dir: "auto" });
    }
    case "chat":
      return chat(row, me);
  }
}

/** @param {import("../model/room.js").ChatRow} row @param {string} me */
function chat(row, me) {
  const own = row.username === me ? " own" : "";
  const li = el("li", { class: `chat${own}${row.head ? " head" : ""}` });
  if (row.head) {
    const name = el("b", { class: `name hue-${hue(row.username)}`, text: row.username, dir: "auto" });
    li.append(el("p", { class: "by" }, name, clock(row.ts)));
  }
  const body = text(row.text);
  if (!row.head) body.append(clock(row.ts));
  li.append(body);
  return li;
}

/** @param {string} said */
function text(said) {
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

/**
 * What is not in the log yet, below it.
 * @param {import("../model/outbox.js").Letter[]} letters
 * @param {(id: string) => void} retry
 * @param {(id: string) => void} discard
 */
export function showPending(letters, retry, discard) {
  const followed = sticks;
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
  if (letters.length) empty.hidden = true;
  if (followed) toEnd();
}

/** @param {string} label @param {() => void} act */
function button(label, act) {
  const one = el("button", { class: "small", text: label });
  one.addEventListener("click", act);
  return one;
}
