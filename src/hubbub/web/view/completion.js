/** Names and emoji are offered while they are written: the arrows choose, Enter or Tab takes, Escape leaves. */

import { complete, open, rank } from "../model/completion.js";
import { byId, el } from "./dom.js";
import { words } from "./words.js";

/** @typedef {{put: string, label: string, hint: string}} Offer */

const MOST = 8;
const box = byId("message");
const list = byId("offers");
/** @type {Offer[]} */
let offers = [];
/** @type {import("../model/completion.js").Open | null} */
let at = null;
let chosen = 0;
/** What was refused by Escape stays refused while it is the same. */
let refused = -1;

/** @param {() => import("../model/room.js").Room | null} here */
export function completion(here) {
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-haspopup", "listbox");
  box.setAttribute("aria-controls", "offers");
  list.setAttribute("aria-label", words.offers);
  const look = () => {
    const found = box.readOnly ? null : open(box.value, box.selectionStart);
    if (found?.from !== refused) refused = -1;
    if (!found || found.from === refused) return hide();
    at = found;
    if (found.kind === "@") return show(people(here(), found.query));
    emoji(found.query).then((all) => at === found && show(all), hide);
  };
  box.addEventListener("input", look);
  box.addEventListener("click", look);
  box.addEventListener("blur", hide);
  // Before the composer's own keys: what is offered takes them.
  box.addEventListener("keydown", keys, true);
}

/** @param {import("../model/room.js").Room | null} room @param {string} query @returns {Offer[]} */
function people(room, query) {
  if (!room) return [];
  const others = room.users.filter((name) => name !== room.me).map((name) => ({ name, shown: room.names.get(name) }));
  const all = room.mod ? [...others, { name: "room", shown: words.wholeRoom }] : others;
  return rank(query, all, MOST).map(({ name, shown = name }) => ({ put: `@${name}`, label: shown, hint: shown === name ? "" : `@${name}` }));
}

/** @param {string} query @returns {Promise<Offer[]>} */
async function emoji(query) {
  const { allEmoji, find } = await import("./emoji.js");
  return find(await allEmoji(), query, MOST).map(({ emoji, name }) => ({ put: emoji, label: `${emoji} :${name}:`, hint: "" }));
}

/** @param {Offer[]} found */
function show(found) {
  offers = found;
  chosen = 0;
  if (!found.length) return hide();
  list.replaceChildren(
    ...found.map((offer, index) => {
      const item = el("li", {}, el("span", { text: offer.label, dir: "auto" }), el("span", { class: "you", text: offer.hint }));
      item.setAttribute("role", "option");
      item.id = `offer-${index}`;
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault(); // the box keeps the keyboard
        take(index);
      });
      return item;
    }),
  );
  list.hidden = false;
  mark();
}

function hide() {
  list.hidden = true;
  at = null;
  box.removeAttribute("aria-activedescendant");
}

function mark() {
  [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
  list.children[chosen].scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", `offer-${chosen}`);
}

/** @param {number} index */
function take(index) {
  if (!at) return;
  const done = complete(box.value, box.selectionStart, at, offers[index].put);
  box.value = done.text;
  box.setSelectionRange(done.caret, done.caret);
  hide();
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {KeyboardEvent} event */
function keys(event) {
  if (list.hidden || event.isComposing || event.shiftKey) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    chosen = (chosen + step + offers.length) % offers.length;
    mark();
  } else if (event.key === "Enter" || event.key === "Tab") take(chosen);
  else if (event.key === "Escape") {
    refused = at?.from ?? -1;
    hide();
  } else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}
